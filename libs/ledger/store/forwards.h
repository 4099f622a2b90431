// Where the points of merged accounts are.
#pragma once

#include "libs/base/types.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::ledger {

// The account that goes on for this one: the last of a chain of merges, or the account itself. It
// may be merged in the next moment.
AccountId SurvivorOf(postgres::Transaction& transaction, AccountId account);

}  // namespace guilder::ledger
