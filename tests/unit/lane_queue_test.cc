#include "libs/ledger/store/lane_queue.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "libs/base/reason.h"
#include "libs/security/keys.h"
#include "tests/support/catch2.h"

namespace guilder::ledger {
namespace {

class Note final : public Command {
 public:
  explicit Note(AccountId of) {
    kind = RecordKind::kPurchase;
    partner = PartnerId(1);
    request_id = security::RandomUuid();
    account = of;
    book = BookOf(of);
  }
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting&) override { return "noted"; }
};

PendingCommand Pending(int account) {
  PendingCommand pending;
  pending.command = std::make_unique<Note>(MakeAccountId(account, BookId(1)));
  return pending;
}

TEST_CASE("LaneQueue: what was set aside comes back before what its account sent later",
          "[unit][ledger]") {
  LaneQueue queue(4, 4);
  PendingCommand first = Pending(1);
  PendingCommand second = Pending(1);
  const Uuid first_id = first.command->request_id;
  const Uuid second_id = second.command->request_id;
  for (PendingCommand* pending : {&first, &second}) REQUIRE(queue.Push(*pending).ok());
  std::vector<PendingCommand> batch = queue.PopBatch(10, absl::Seconds(1));
  REQUIRE(batch.size() == 2);

  queue.SetAside(*batch[0].command);
  std::vector<PendingCommand> behind;
  behind.push_back(std::move(batch[1]));
  queue.Unpop(std::move(behind));

  CHECK(queue.PopBatch(10, absl::Milliseconds(1)).empty());
  queue.Close();
  CHECK_FALSE(queue.ClosedAndEmpty());
  queue.PutBack(std::move(batch[0]));
  const auto again = queue.PopBatch(10, absl::Seconds(1));
  REQUIRE(again.size() == 2);
  CHECK(again[0].command->request_id == first_id);
  CHECK(again[1].command->request_id == second_id);
  CHECK(queue.ClosedAndEmpty());
}

TEST_CASE("LaneQueue: what was set aside keeps its place", "[unit][ledger]") {
  LaneQueue queue(3, 2);
  for (int i = 1; i <= 2; ++i) {
    PendingCommand pending = Pending(i);
    REQUIRE(queue.Push(pending).ok());
  }
  const std::vector<PendingCommand> batch = queue.PopBatch(10, absl::Seconds(1));
  for (const PendingCommand& pending : batch) queue.SetAside(*pending.command);

  PendingCommand third = Pending(3);
  CHECK(ReasonOf(queue.Push(third)) == Reason::kQueueFull);
  queue.Forget(*batch[0].command);
  CHECK(queue.Push(third).ok());
}

TEST_CASE("LaneQueue: after a large batch, what is on its way may join the next one",
          "[unit][ledger]") {
  LaneQueue queue(100, 100);
  const auto push = [&](int count) {
    for (int i = 1; i <= count; ++i) {
      PendingCommand pending = Pending(i);
      REQUIRE(queue.Push(pending).ok());
    }
  };
  push(8);
  REQUIRE(queue.PopBatch(10, absl::Seconds(1)).size() == 8);
  push(1);
  const absl::Time before = absl::Now();

  CHECK(queue.PopBatch(10, absl::Seconds(1)).size() == 1);

  CHECK(absl::Now() - before >= absl::Milliseconds(2));
}

}  // namespace
}  // namespace guilder::ledger
