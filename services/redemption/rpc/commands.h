// The redemption service's commands: the domain's deciders as lanes run them.
#pragma once

#include <memory>
#include <string>

#include "libs/base/types.h"
#include "libs/ledger/store/command.h"
#include "services/redemption/domain/redemption.h"
#include "services/redemption/rpc/spending_batch.h"

namespace guilder::redemption {

// Reads for a batch what its authorizations are decided over, and writes what they and reviews
// change. Costs no statement where nothing asks for it. Serves all lanes at once.
class RedemptionRows final : public ledger::RowStore {
 public:
  void Load(postgres::Transaction& tx, const ledger::Configuration& configuration,
            const std::vector<ledger::Command*>& commands) override;
  void Write(postgres::Transaction& tx, const std::vector<ledger::Command*>& commands) override;
};

// `account` is where the card, or the redemption, leads. The rows outlive the command.
std::unique_ptr<ledger::Command> MakeCommand(RedemptionRows& rows, PartnerId partner,
                                             const Uuid& request_id, AccountId account,
                                             const Authorization& asked, const Shown& shown);
std::unique_ptr<ledger::Command> MakeCommand(PartnerId partner, const Uuid& request_id,
                                             AccountId account, const Capture& asked);
std::unique_ptr<ledger::Command> MakeCommand(PartnerId partner, const Uuid& request_id,
                                             AccountId account, const Void& asked);
std::unique_ptr<ledger::Command> MakeCommand(PartnerId partner, const Uuid& request_id,
                                             AccountId account, const Refund& asked);

// In the name of the partner that took the points; `operator_id` decided.
std::unique_ptr<ledger::Command> MakeReviewCommand(RedemptionRows& rows, PartnerId partner,
                                                   const Uuid& request_id, AccountId account,
                                                   const ReviewDecision& decision,
                                                   const std::string& operator_id,
                                                   const std::string& note);

}  // namespace guilder::redemption
