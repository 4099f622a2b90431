#include "libs/ledger/store/account_memory.h"

#include <utility>

#include "libs/ledger/core/account.h"

namespace guilder::ledger {

void AccountMemory::ForgetChanged(const std::map<BookId, BookState>& locked) {
  for (const auto& [id, book] : locked) {
    const auto remembered = books_.find(id);
    if (remembered == books_.end() || remembered->second.frontier == book.frontier) continue;
    books_.erase(remembered);
  }
}

const AccountState* AccountMemory::Find(AccountId account) const {
  const auto book = books_.find(BookOf(account));
  if (book == books_.end()) return nullptr;
  const auto found = book->second.accounts.find(account);
  return found == book->second.accounts.end() ? nullptr : &found->second;
}

void AccountMemory::Keep(const BatchState& left) {
  for (const auto& [id, book] : left.books) {
    if (book.changed) books_[id].frontier = book.frontier;
  }
  for (const auto& [id, entry] : left.accounts) {
    if (!entry.changed) continue;
    Book& book = books_[BookOf(id)];
    Erase(book, id);
    if (entry.state.lots_loaded) Put(book, entry.state);
  }
}

void AccountMemory::Put(Book& book, const AccountState& left) {
  AccountState kept = left;
  // As it would be loaded.
  std::erase_if(kept.lots, [&](const Lot& lot) { return lot.id < kept.first_open_lot; });
  std::erase_if(kept.holds, [](const Hold& hold) { return !hold.open(); });
  if (book.lots + kept.lots.size() > kMaxLotsPerBook) {
    book.accounts.clear();
    book.lots = 0;
  }
  book.lots += kept.lots.size();
  book.accounts.insert_or_assign(kept.id, std::move(kept));
}

void AccountMemory::Erase(Book& book, AccountId account) {
  const auto found = book.accounts.find(account);
  if (found == book.accounts.end()) return;
  book.lots -= found->second.lots.size();
  book.accounts.erase(found);
}

}  // namespace guilder::ledger
