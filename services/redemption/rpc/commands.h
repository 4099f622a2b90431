// The redemption service's commands: the domain's deciders as lanes run them.
#pragma once

#include <memory>

#include "libs/base/types.h"
#include "libs/ledger/store/command.h"
#include "services/redemption/domain/redemption.h"

namespace guilder::redemption {

// `account` is where the card, or the redemption, leads.
std::unique_ptr<ledger::Command> MakeCommand(PartnerId partner, const Uuid& request_id,
                                             AccountId account, const Authorization& asked);
std::unique_ptr<ledger::Command> MakeCommand(PartnerId partner, const Uuid& request_id,
                                             AccountId account, const Capture& asked);
std::unique_ptr<ledger::Command> MakeCommand(PartnerId partner, const Uuid& request_id,
                                             AccountId account, const Void& asked);
std::unique_ptr<ledger::Command> MakeCommand(PartnerId partner, const Uuid& request_id,
                                             AccountId account, const Refund& asked);

}  // namespace guilder::redemption
