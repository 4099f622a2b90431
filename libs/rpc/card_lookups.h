// From a card to its account, for handlers, which must not block.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/ledger/store/card_directory.h"
#include "libs/rpc/grouped_reads.h"
#include "libs/rpc/worker_pool.h"

namespace guilder::rpc {

// Cards that the directory does not remember are looked up together with those that arrive
// meanwhile. Thread safe. Outlived by the directory and the worker pool.
class CardLookups {
 public:
  using Done = GroupedReads<CardNumber, AccountId>::Done;

  CardLookups(ledger::CardDirectory& directory, WorkerPool& workers)
      : directory_(directory), reads_(workers, [&directory](const std::vector<CardNumber>& cards) {
          return directory.FindAll(cards);
        }) {}

  // Calls `then` with the card's account, or kCardNotFound: at once when the directory remembers
  // it, otherwise on a worker. Refuses as GroupedReads does, and with kStoreUnavailable.
  void Find(CardNumber card, absl::Time deadline, Done then) {
    if (const auto account = directory_.FindCached(card)) return then(*account);
    reads_.Ask(card, deadline, std::move(then));
  }

 private:
  ledger::CardDirectory& directory_;
  GroupedReads<CardNumber, AccountId> reads_;
};

}  // namespace guilder::rpc
