// Which account a card belongs to.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/base/bounded_cache.h"
#include "libs/base/types.h"

namespace guilder::postgres {
class Pool;
}

namespace guilder::ledger {

// Routes card numbers to accounts, from memory where it can. It only says where to go: whether the
// card works, and which account it has now, is read again inside the batch that decides.
//
// Only cards that exist are remembered, so that a card is usable as soon as it is issued. Thread
// safe.
class CardDirectory {
 public:
  // The pool outlives the directory. `capacity` cards, some 100 bytes each, are remembered at most.
  explicit CardDirectory(postgres::Pool& pool, size_t capacity = 1'000'000)
      : pool_(pool), cache_(capacity) {}

  // Opens the account of a card that waits in a batch to be shown (stock_cards.h). Blocks.
  using Opener = std::function<absl::StatusOr<AccountId>(CardNumber, absl::Time deadline)>;
  // From now on such cards are found: their accounts are opened when they are looked for. Called
  // before the directory is shared.
  void OpenWith(Opener open) { open_ = std::move(open); }

  // Never blocks.
  std::optional<AccountId> FindCached(CardNumber card) const { return cache_.Find(card); }

  // Reads the database where memory does not help. Errors: kCardNotFound, kQueueFull,
  // kStoreUnavailable.
  absl::StatusOr<AccountId> Find(CardNumber card, absl::Time deadline = absl::InfiniteFuture());

  // The same for many at once, in one statement: an answer for each, in their order.
  absl::StatusOr<std::vector<absl::StatusOr<AccountId>>> FindAll(
      const std::vector<CardNumber>& cards, absl::Time deadline = absl::InfiniteFuture());

 private:
  absl::StatusOr<AccountId> Open(CardNumber card, absl::Time deadline);

  postgres::Pool& pool_;
  Opener open_;
  BoundedCache<CardNumber, AccountId> cache_;
};

}  // namespace guilder::ledger
