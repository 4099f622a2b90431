#include "libs/rpc/ledger_answers.h"

#include "libs/rpc/proto_time.h"

namespace guilder::rpc {

guilder::type::v1::JournalReceipt ToProto(const ledger::JournalPlace& place) {
  guilder::type::v1::JournalReceipt receipt;
  receipt.set_book(place.book.value());
  receipt.set_number(place.number.value());
  receipt.set_leaf_hash(place.leaf.data(), place.leaf.size());
  *receipt.mutable_posted_at() = ToProto(place.posted_at);
  return receipt;
}

void FindCard(ledger::CardDirectory& directory, WorkerPool& workers, CardNumber card,
              absl::Time deadline, std::function<void(absl::StatusOr<AccountId>)> then) {
  if (const auto account = directory.FindCached(card)) return then(*account);
  // A task that is not taken is gone, so `then` stays here too.
  const auto shared =
      std::make_shared<std::function<void(absl::StatusOr<AccountId>)>>(std::move(then));
  const bool queued = workers.TrySubmit(
      [&directory, card, deadline, shared] { (*shared)(directory.Find(card, deadline)); });
  if (!queued) (*shared)(Refuse(Reason::kQueueFull));
}

}  // namespace guilder::rpc
