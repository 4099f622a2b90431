// Limits over all books, for services that grant and show them without lanes.
#pragma once

#include <optional>

#include "libs/base/types.h"
#include "libs/ledger/core/limit.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::ledger {

// Grants more of a limit: all books may spend it from the commit on.
void GrantLimit(postgres::Transaction& transaction, LimitId limit, Points points);

// All in units of the limit: points, or millionths of the currency for credit.
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

// Locks the limit alone, which everybody does first, and gives what is in its pool; nothing for a
// limit that was never granted.
std::optional<Points> LockPool(postgres::Transaction& transaction, LimitId limit);

// Gives the books that have none an allowance of nothing. Under the limit's lock.
void AddAllowances(postgres::Transaction& transaction, ProgrammeId programme, LimitId limit);

// Takes back what was granted and not spent, from the pool and then from the books. False, and
// nothing done, where less is left over all books. Locks the limit, then its allowances in the
// order of books, as the allocator does.
bool WithdrawLimit(postgres::Transaction& transaction, LimitId limit, Points points);

// Locks all books of a programme, in the order in which lanes do: no command is being decided until
// the end of the transaction. Before any lock of a limit.
void LockBooks(postgres::Transaction& transaction, ProgrammeId programme);

// Begins a limit of what has always followed from entries: `spent` was so far. All books have an
// allowance then, of nothing. Under LockBooks, with the configuration's next version.
void OpenLimit(postgres::Transaction& transaction, ProgrammeId programme, LimitId limit,
               Points spent);
// Ends it: nothing is left of it. Under LockBooks, with the configuration's next version.
void CloseLimit(postgres::Transaction& transaction, LimitId limit);
bool HasLimit(postgres::Transaction& transaction, LimitId limit);

// Whether all books have an allowance of the limit, so that points can be taken back in each.
bool IsInAllBooks(postgres::Transaction& transaction, ProgrammeId programme, LimitId limit);

// Makes `granted` what is wanted, or, where more was spent than that, what was spent. Gives new
// books an allowance. Locks the limit, then its allowances in the order of books.
void SetGranted(postgres::Transaction& transaction, ProgrammeId programme, LimitId limit,
                Points wanted);

}  // namespace guilder::ledger
