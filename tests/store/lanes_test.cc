#include "libs/ledger/store/lanes.h"

#include <future>
#include <thread>
#include <vector>

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/claims.h"
#include "libs/ledger/store/lane_queue.h"
#include "libs/security/keys.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"

namespace guilder::ledger {
namespace {

// Gives points to an account.
class Give final : public Command {
 public:
  Give(AccountId to, Points points, const std::string& what = "gift") : points_(points) {
    kind = RecordKind::kPurchase;
    partner = PartnerId(1);
    request_id = security::RandomUuid();
    content = what + std::to_string(points.value());
    fingerprint = Sha256({content});
    account = to;
    book = BookOf(to);
  }
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting& posting) override {
    ++decided;
    const absl::Status earned = DecideEarn(
        posting, {PartnerId(1), ContractId(1), points_, posting.now() + Timestamp(kMicrosPerDay)});
    if (!earned.ok()) return earned;
    return std::string("given ") + std::to_string(points_.value());
  }
  absl::Status OnNaturalKeyTaken(const JournalPlace&, RecordKind) override {
    return Refuse(Reason::kReceiptConflict);
  }

  int decided = 0;

 private:
  const Points points_;
};

// Answers with a text that PostgreSQL cannot store as a refusal's detail.
class Poison final : public Command {
 public:
  explicit Poison(AccountId to) {
    kind = RecordKind::kPurchase;
    partner = PartnerId(1);
    request_id = security::RandomUuid();
    account = to;
    book = BookOf(to);
  }
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting&) override {
    return Refuse(Reason::kWrongState, std::string_view("a\0b", 3));
  }
};

using Future = std::future<absl::StatusOr<Answer>>;

Future Submit(Lanes& lanes, std::unique_ptr<Command> command) {
  auto promise = std::make_shared<std::promise<absl::StatusOr<Answer>>>();
  Future future = promise->get_future();
  lanes.Submit(std::move(command),
               [promise](absl::StatusOr<Answer> answer) { promise->set_value(std::move(answer)); });
  return future;
}

struct World {
  World() : card(coalition.AMember()), account(coalition.AccountOf(card)) {}

  int64_t Count(const std::string& query) const {
    return coalition.database().Query(query)[0].Int(0);
  }

  testing::Coalition coalition;
  std::string card;
  AccountId account;
};

TEST_CASE("Lanes: records of a book are numbered without gaps and its tree follows them",
          "[store][ledger][inv-2][inv-106]") {
  World world;
  std::vector<Future> answers;
  for (int i = 1; i <= 300; ++i) {
    answers.push_back(
        Submit(world.coalition.lanes(), std::make_unique<Give>(world.account, Points(i))));
  }
  int64_t last = 0;
  for (Future& future : answers) {
    const auto answer = future.get();
    REQUIRE(answer.ok());
    // Commands of one account keep their order.
    CHECK(answer->place.number.value() > last);
    last = answer->place.number.value();
  }
  CHECK(world.Count("select sum(pending) from ledger.accounts") == 300 * 301 / 2);
  CHECK(world.Count("select sum(balance) from ledger.control_accounts") == -300 * 301 / 2);
  CHECK(world.Count("select sum(points) from ledger.positions where movement = 1") ==
        300 * 301 / 2);
  CHECK(world.Count("select count(*) - sum(distinct b.last_number) from ledger.journal j "
                    "join ledger.books b using (book) where b.book = " +
                    std::to_string(BookOf(world.account).value()) + " and j.book = b.book") == 0);
}

// Goal: two processes that serve the same books post a request once. Method: two sets of lanes on
// one database, the same command to both at once.
TEST_CASE("Lanes: two processes given the same request post it once and answer alike",
          "[store][ledger][inv-11][inv-13]") {
  World world;
  auto others = Lanes::Start({.dsn = world.coalition.database().dsn(), .lanes = 2});
  REQUIRE(others.ok());
  for (int round = 0; round < 30; ++round) {
    auto one = std::make_unique<Give>(world.account, Points(7));
    auto two = std::make_unique<Give>(world.account, Points(7));
    two->request_id = one->request_id;
    Future first = Submit(world.coalition.lanes(), std::move(one));
    Future second = Submit(**others, std::move(two));
    const auto a = first.get();
    const auto b = second.get();
    REQUIRE(a.ok());
    REQUIRE(b.ok());
    CHECK(a->response == b->response);
    CHECK(a->place.number == b->place.number);
    CHECK(a->replayed != b->replayed);
  }
  CHECK(world.Count("select sum(pending) from ledger.accounts") == 30 * 7);
}

// Goal: a claim that another book's transaction takes between reading and writing makes the batch
// run again, whichever commits first. Method: the same receipt for accounts in different books,
// many times.
TEST_CASE("Lanes: a receipt sent for two cards in different books posts once",
          "[store][ledger][inv-13][inv-14]") {
  World world;
  AccountId other;
  while (!other || BookOf(other) == BookOf(world.account)) {
    other = world.coalition.AccountOf(world.coalition.AMember());
  }
  auto others = Lanes::Start({.dsn = world.coalition.database().dsn(), .lanes = 2});
  REQUIRE(others.ok());
  for (int round = 0; round < 50; ++round) {
    const Uuid receipt = ClaimKey(PartnerId(1), "receipt", std::to_string(round));
    auto one = std::make_unique<Give>(world.account, Points(5), "card one ");
    auto two = std::make_unique<Give>(other, Points(5), "card two ");
    one->natural_key = receipt;
    two->natural_key = receipt;
    Future first = Submit(world.coalition.lanes(), std::move(one));
    Future second = Submit(**others, std::move(two));
    const auto a = first.get();
    const auto b = second.get();
    CHECK(a.ok() != b.ok());
    CHECK(ReasonOf(a.ok() ? b.status() : a.status()) == Reason::kReceiptConflict);
  }
  CHECK(world.Count("select sum(pending) from ledger.accounts") == 50 * 5);
}

TEST_CASE("Lanes: a command that breaks its batch is refused alone", "[store][ledger]") {
  World world;
  std::vector<Future> good;
  std::vector<Future> bad;
  for (int i = 0; i < 40; ++i) {
    good.push_back(
        Submit(world.coalition.lanes(), std::make_unique<Give>(world.account, Points(1))));
    if (i % 10 == 0)
      bad.push_back(Submit(world.coalition.lanes(), std::make_unique<Poison>(world.account)));
  }
  for (Future& future : good) CHECK(future.get().ok());
  for (Future& future : bad) CHECK_FALSE(future.get().ok());
  CHECK(world.Count("select sum(pending) from ledger.accounts") == 40);
}

TEST_CASE("Lanes: a command whose deadline has passed is dropped before it is written",
          "[store][ledger]") {
  World world;
  auto late = std::make_unique<Give>(world.account, Points(1));
  late->deadline = absl::Now() - absl::Seconds(1);
  CHECK(ReasonOf(Submit(world.coalition.lanes(), std::move(late)).get().status()) ==
        Reason::kDeadlineExceeded);
  CHECK(world.Count("select sum(pending) from ledger.accounts") == 0);
}

TEST_CASE("Lanes: after a drain everything queued is answered and nothing more is taken",
          "[store][ledger]") {
  World world;
  auto lanes = Lanes::Start({.dsn = world.coalition.database().dsn(), .lanes = 1});
  REQUIRE(lanes.ok());
  std::vector<Future> answers;
  for (int i = 0; i < 50; ++i) {
    answers.push_back(Submit(**lanes, std::make_unique<Give>(world.account, Points(1))));
  }
  (*lanes)->Drain();
  CHECK(
      ReasonOf(Submit(**lanes, std::make_unique<Give>(world.account, Points(1))).get().status()) ==
      Reason::kDraining);
  for (Future& future : answers) CHECK(future.get().ok());
  CHECK(world.Count("select sum(pending) from ledger.accounts") == 50);
}

TEST_CASE("Lanes: a book in a newer format is not written", "[store][ledger]") {
  World world;
  world.coalition.database().Query("update ledger.books set format_version = 7");
  CHECK(ReasonOf(Submit(world.coalition.lanes(), std::make_unique<Give>(world.account, Points(1)))
                     .get()
                     .status()) == Reason::kStoreUnavailable);
  CHECK(world.Count("select sum(pending) from ledger.accounts") == 0);
}

TEST_CASE("Lanes: posted time never falls, even when the clock stands behind it",
          "[store][ledger]") {
  World world;
  const int64_t ahead = world.coalition.Now().value() + 3600 * kMicrosPerSecond;
  world.coalition.database().Query("update ledger.books set last_posted_at_us = " +
                                   std::to_string(ahead));
  const auto answer =
      Submit(world.coalition.lanes(), std::make_unique<Give>(world.account, Points(1))).get();
  REQUIRE(answer.ok());
  CHECK(answer->place.posted_at == Timestamp(ahead));
}

PendingCommand Pending(int partner, int account) {
  PendingCommand pending;
  pending.command = std::make_unique<Give>(MakeAccountId(account, BookId(1)), Points(1));
  pending.command->partner = PartnerId(partner);
  return pending;
}

TEST_CASE("LaneQueue: a partner that sends much does not keep another waiting", "[store][ledger]") {
  LaneQueue queue(1000, 500);
  for (int i = 0; i < 100; ++i) {
    PendingCommand pending = Pending(1, 1 + i);
    REQUIRE(queue.Push(pending).ok());
  }
  PendingCommand small = Pending(2, 1000);
  REQUIRE(queue.Push(small).ok());
  const auto batch = queue.PopBatch(4, absl::Seconds(1));
  REQUIRE(batch.size() == 4);
  const auto of_small = std::count_if(batch.begin(), batch.end(), [](const PendingCommand& p) {
    return p.command->partner == PartnerId(2);
  });
  CHECK(of_small == 1);
}

TEST_CASE("LaneQueue: full is said at once, by partner and in all", "[store][ledger]") {
  LaneQueue queue(5, 3);
  for (int i = 0; i < 3; ++i) {
    PendingCommand pending = Pending(1, i + 1);
    REQUIRE(queue.Push(pending).ok());
  }
  PendingCommand fourth = Pending(1, 9);
  CHECK(ReasonOf(queue.Push(fourth)) == Reason::kQueueFull);
  for (int i = 0; i < 2; ++i) {
    PendingCommand pending = Pending(2, i + 20);
    REQUIRE(queue.Push(pending).ok());
  }
  PendingCommand sixth = Pending(3, 30);
  CHECK(ReasonOf(queue.Push(sixth)) == Reason::kQueueFull);
}

TEST_CASE(
    "LaneQueue: two commands with one claim never share a batch, and an account's order holds",
    "[store][ledger]") {
  LaneQueue queue(100, 100);
  PendingCommand first = Pending(1, 1);
  PendingCommand repeat = Pending(1, 1);
  repeat.command->request_id = first.command->request_id;
  PendingCommand after = Pending(1, 1);
  PendingCommand other_account = Pending(1, 2);
  const Uuid after_id = after.command->request_id;
  for (PendingCommand* pending : {&first, &repeat, &after, &other_account}) {
    REQUIRE(queue.Push(*pending).ok());
  }
  CHECK(queue.PopBatch(10, absl::Seconds(1)).size() == 2);
  const auto next = queue.PopBatch(10, absl::Seconds(1));
  REQUIRE(next.size() == 2);
  CHECK(next[1].command->request_id == after_id);
}

}  // namespace
}  // namespace guilder::ledger
