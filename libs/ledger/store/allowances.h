// What the books of a batch may still spend of limits over all books.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/entry.h"
#include "libs/ledger/core/limit.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

// What a command does to the allowances of its book, by limit. Empty when it touches none.
using AllowanceChanges = std::map<LimitId, Points>;

AllowanceChanges ChangesOf(const std::vector<Entry>& entries, const Configuration& configuration);

// The allowances of one batch: locked and read in step 2, changed by what is accepted, written in
// step 4. Costs nothing where no command needs a limit.
class Allowances {
 public:
  using Key = std::pair<LimitId, BookId>;

  // Locks the rows, in the order of their keys, and reads them. Holding a book's lock is not
  // enough: the allocator moves allowances without it.
  void Load(postgres::Transaction& tx, const std::set<Key>& keys);

  // The limit whose allowance in the book does not bear the changes; none when all do. INTERNAL
  // when one was not loaded.
  absl::StatusOr<LimitId> FindShort(BookId book, const AllowanceChanges& changes) const;

  // What all books together have left of a limit, the other books' as of now.
  Points Total(postgres::Transaction& tx, ProgrammeId programme, LimitId limit);

  void Apply(BookId book, const AllowanceChanges& changes);

  // Writes what changed.
  absl::Status Write(postgres::Transaction& tx) const;

 private:
  struct Allowance {
    Points remaining;
    Points change;
  };
  std::map<Key, Allowance> allowances_;
  // By limit: the pool, and what the books have that are not in this batch.
  std::map<LimitId, Points> elsewhere_;
};

}  // namespace guilder::ledger
