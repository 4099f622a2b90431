// What a lane remembers of the accounts that it wrote.
#pragma once

#include <map>

#include "absl/container/flat_hash_map.h"

#include "libs/base/types.h"
#include "libs/ledger/core/merkle.h"
#include "libs/ledger/core/state.h"
#include "libs/ledger/store/batch.h"

namespace guilder::ledger {

// Accounts with their lots and open holds as a lane left them, so that the next command on one does
// not load them again: a capture comes soon after its authorization.
//
// Nothing of a book's accounts changes without a record, and each record changes the book's
// frontier. So while the frontier, read under the lock of the book's row, is the one that the lane
// left, what the lane remembers is what the tables hold. Not thread safe.
class AccountMemory {
 public:
  // Forgets the accounts of the books that somebody else wrote to since.
  void ForgetChanged(const std::map<BookId, BookState>& locked);

  // The account with all lots from its first open one on and its open holds; nullptr when it is not
  // remembered. Valid until the next call of another method.
  const AccountState* Find(AccountId account) const;

  // What a batch left, once it is committed.
  void Keep(const BatchState& left);

 private:
  // Some 4 MB. A book that would need more is forgotten and begins anew.
  static constexpr size_t kMaxLotsPerBook = 32'768;

  struct Book {
    Frontier frontier;
    absl::flat_hash_map<AccountId, AccountState> accounts;
    size_t lots = 0;
  };

  static void Put(Book& book, const AccountState& left);
  static void Erase(Book& book, AccountId account);

  std::map<BookId, Book> books_;
};

}  // namespace guilder::ledger
