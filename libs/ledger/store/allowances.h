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
#include "libs/ledger/store/command.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

// What a command does to the allowances of its book, by limit. Empty when it touches none.
using AllowanceChanges = std::map<LimitId, Points>;

AllowanceChanges ChangesOf(const std::vector<Entry>& entries, const Configuration& configuration);

// The same for a command that names several accounts, of each book. What it spends or gives back
// besides is of its own account's book.
std::map<BookId, AllowanceChanges> ChangesOf(const Command& command,
                                             const std::vector<Posting>& postings,
                                             const Configuration& configuration);

// What a command that changes several books needs of a limit in all of them.
Points NeedOf(LimitId limit, const std::map<BookId, AllowanceChanges>& changes);

// The limits that a command may spend from by what it issues; empty when it issues nothing, or
// without limit.
std::set<LimitId> LimitsOf(const Command& command, const Configuration& configuration);

// What a command is refused with when a limit does not cover it.
absl::Status Exhausted(LimitId limit, Points left);

// Claims that may be taken already.
struct ClaimsToFind {
  std::vector<Uuid> keys;
  // Whether one of them is; nothing while they were not looked up.
  std::optional<bool> taken;
};

// The allowances of one batch: locked and read in step 2, changed by what is accepted, written in
// step 4. Costs nothing where no command needs a limit.
//
// Rows are locked in the order of their keys, as the allocator does, which moves allowances without
// the locks of books, those of one limit at a time. What commands may spend from is known before
// the batch begins, and is locked for all of its books; limits that only loaded lots have are
// locked after. So all rows of a limit are locked at once, and nobody waits in a circle.
class Allowances {
 public:
  using Key = std::pair<LimitId, BookId>;

  // Of a batch whose `begin` locks these.
  explicit Allowances(const std::set<Key>& locked = {});

  // What the commands may spend from, in each of their books.
  static std::set<Key> KeysOf(const std::vector<Command*>& commands,
                              const Configuration& configuration);
  // Locks the rows of these keys.
  static postgres::Call Lock(const std::set<Key>& keys);

  // Takes the row of a key that was locked.
  void Add(const Key& key, Points remaining);
  // Locks and reads those of the keys that are not locked yet.
  void Load(postgres::Transaction& tx, std::set<Key> keys);

  // The limit whose allowance in the book does not bear the changes; none when all do. INTERNAL
  // when one was not loaded.
  absl::StatusOr<LimitId> FindShort(BookId book, const AllowanceChanges& changes) const;

  // What all books together have left of a limit, the other books' as of now. The first time that
  // it is asked for a limit it looks the claims up as well, in the same round trip and snapshot.
  Points Total(postgres::Transaction& tx, ProgrammeId programme, LimitId limit,
               ClaimsToFind& claims);

  void Apply(BookId book, const AllowanceChanges& changes);

  // What changed, to be added to the rows. INTERNAL when points were taken back of a limit that has
  // no allowance in the book.
  absl::StatusOr<std::map<Key, Points>> Changes() const;

 private:
  struct Allowance {
    Points remaining;
    Points change;
    // Whether there is a row.
    bool found = false;
  };
  std::map<Key, Allowance> allowances_;
  // By limit: the pool, and what the books have that are not in this batch.
  std::map<LimitId, Points> elsewhere_;
};

}  // namespace guilder::ledger
