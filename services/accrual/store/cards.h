// A card as it is now, for reads outside of lanes.
#pragma once

#include "libs/base/types.h"
#include "libs/ledger/core/decision_context.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::accrual {

// Not found for a number that no card has. Runs in the caller's transaction.
ledger::CardView ReadCard(postgres::Transaction& tx, CardNumber card);

}  // namespace guilder::accrual
