// Limits over all books, for services that grant and show them without lanes.
#pragma once

#include "libs/base/types.h"
#include "libs/ledger/core/limit.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::ledger {

// Grants more of a limit: all books may spend it from the commit on.
void GrantLimit(postgres::Transaction& transaction, LimitId limit, Points points);

struct LimitState {
  Points granted;
  // What no book has spent, in the pool and in all books' allowances.
  Points remaining;
};

// Zeros for a limit that was never granted.
LimitState ReadLimit(postgres::Transaction& transaction, LimitId limit);

// The same, and nobody spends, gives back or grants until the end of the transaction. Locks the
// limit, then its allowances in the order of books, as the allocator does.
LimitState LockLimit(postgres::Transaction& transaction, LimitId limit);

// Takes back what was granted and not spent, from the pool and then from the books. False, and
// nothing done, where less is left over all books. Locks the limit, then its allowances in the
// order of books, as the allocator does.
bool WithdrawLimit(postgres::Transaction& transaction, LimitId limit, Points points);

}  // namespace guilder::ledger
