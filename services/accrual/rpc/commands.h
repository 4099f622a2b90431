// The accrual service's commands: the domain's deciders as lanes run them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/ledger/store/command.h"
#include "services/accrual/domain/quote.h"
#include "services/accrual/domain/return.h"
#include "services/accrual/rpc/earning_batch.h"
#include "services/accrual/store/parked_items.h"
#include "services/accrual/store/rule_book_reader.h"

namespace guilder::accrual {

class PurchaseCommand;

// "parkedItems/3-…": the partner and its request id.
std::string ParkedItemName(PartnerId partner, const Uuid& request_id);

// A command of this service: what its rows need of it.
class AccrualCommand : public ledger::Command {
 public:
  // Before Decide: what AccrualRows read, or why it could not.
  std::shared_ptr<const RuleBook> rules;
  std::vector<Return> returns;
  absl::Status load_status;

  // The sale whose returns are read; nullptr for none.
  virtual const Sale* sale() const { return nullptr; }
  // What to keep when the command is parked.
  virtual ParkedItem ToParkedItem() const { return {}; }
};

// Reads for a batch what its commands are decided over, counts, and parks. Serves all lanes at
// once.
class AccrualRows : public ledger::RowStore {
 public:
  explicit AccrualRows(security::MemberDataReader reader) : reader_(std::move(reader)) {}

  void Load(postgres::Transaction& tx, const ledger::Configuration& configuration,
            const std::vector<ledger::Command*>& commands) override;
  absl::Status Take(postgres::Transaction& tx,
                    const std::vector<ledger::Command*>& commands) override;
  void Write(postgres::Transaction& tx, const std::vector<ledger::Command*>& commands) override;

 private:
  void LoadPurchases(postgres::Transaction& tx, const ledger::Configuration& configuration,
                     const RuleBook& rules, const std::vector<PurchaseCommand*>& purchases);

  const security::MemberDataReader reader_;
  RuleBookReader rule_books_;
  KnownLimits known_limits_;
};

// Each takes what the domain made of a request; `account` is where the card or the sale leads.

std::unique_ptr<ledger::Command> MakePurchaseCommand(AccrualRows& rows, PartnerId partner,
                                                     const Uuid& request_id, AccountId account,
                                                     Purchase purchase, std::optional<Quote> quote,
                                                     std::optional<Timestamp> terminal_time);
// One that was parked. `reviewed` when somebody has looked at how often its member comes.
std::unique_ptr<ledger::Command> MakeParkedPurchaseCommand(AccrualRows& rows, PartnerId partner,
                                                           const Uuid& request_id,
                                                           AccountId account, Purchase purchase,
                                                           bool reviewed);
// `asked` is what is parked when another return of the sale has its number and day in `zone`;
// without, nothing is looked for.
std::unique_ptr<ledger::Command> MakeReturnCommand(AccrualRows& rows, PartnerId partner,
                                                   const Uuid& request_id, Sale sale,
                                                   Return returned, absl::TimeZone zone,
                                                   std::optional<ParkedItem> asked);
std::unique_ptr<ledger::Command> MakeConfirmationCommand(AccrualRows& rows, PartnerId partner,
                                                         const Uuid& request_id, Sale sale,
                                                         bool confirmed);

}  // namespace guilder::accrual
