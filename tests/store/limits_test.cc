#include "libs/ledger/store/limits.h"

#include <atomic>
#include <future>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/lanes.h"
#include "libs/postgres/pool.h"
#include "libs/security/keys.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"
#include "tests/support/invariants.h"

namespace guilder::ledger {
namespace {

// What all commands of these tests have in common.
class TestCommand : public Command {
 public:
  TestCommand(PartnerId by, AccountId of) {
    kind = RecordKind::kPurchase;
    partner = by;
    request_id = security::RandomUuid();
    account = of;
    book = BookOf(of);
  }
};

// Gives points of a partner to an account.
class Give final : public TestCommand {
 public:
  Give(PartnerId issuer, ContractId contract, AccountId to, Points points)
      : TestCommand(issuer, to), contract_(contract), points_(points) {
    issues = Issues::kPartnersPoints;
    content = absl::StrCat("give ", points.value());
    fingerprint = Sha256({content});
  }
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting& posting) override {
    const absl::Status earned = DecideEarn(
        posting, {partner, contract_, points_, posting.now() + Timestamp(kMicrosPerDay)});
    if (!earned.ok()) return earned;
    return content;
  }

 private:
  const ContractId contract_;
  const Points points_;
};

// Takes points of a record's lot back.
class TakeBack final : public TestCommand {
 public:
  TakeBack(PartnerId issuer, AccountId from, RecordNumber sale, Points points)
      : TestCommand(issuer, from), points_(points) {
    kind = RecordKind::kReturn;
    content = absl::StrCat("take back ", points.value());
    fingerprint = Sha256({content});
    refers_to = sale;
    needs_lot = MakeLotId(sale);
  }
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting& posting) override {
    const auto owed = DecideReverse(posting, *needs_lot, points_);
    if (!owed.ok()) return owed.status();
    return content;
  }

 private:
  const Points points_;
};

// Answers with a text that PostgreSQL cannot store as a refusal's detail.
class Poison final : public TestCommand {
 public:
  using TestCommand::TestCommand;
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting&) override {
    return Refuse(Reason::kWrongState, std::string_view("a\0b", 3));
  }
};

// Issues nothing, and so never waits for an allowance.
class Note final : public TestCommand {
 public:
  using TestCommand::TestCommand;
  absl::StatusOr<std::string> Decide(const DecisionContext&, Posting&) override { return "noted"; }
};

using Result = absl::StatusOr<Answer>;
using Future = std::future<Result>;

Future Submit(Lanes& lanes, std::unique_ptr<Command> command) {
  auto promise = std::make_shared<std::promise<Result>>();
  Future future = promise->get_future();
  lanes.Submit(std::move(command),
               [promise](Result answer) { promise->set_value(std::move(answer)); });
  return future;
}

// A coalition whose partner `fresh` has paid for a block of points in advance, written by the
// coalition's lanes and by those of a second process.
struct World {
  static constexpr int kLanes = 2;  // of the second process

  explicit World(Points block, int members = 1) : coalition(16) {
    Query(
        "update partner.contracts set funding = 'PREPAID_BLOCK' where kind = 'ISSUANCE' and "
        "partner_id = (select partner_id from partner.partners where slug = 'fresh')");
    Query("update ledger.configuration set version = version + 1");
    fresh = IdOf<PartnerId>("select partner_id from partner.partners where slug = 'fresh'");
    other = IdOf<PartnerId>("select partner_id from partner.partners where slug = 'books'");
    fresh_contract = ContractOf(fresh);
    other_contract = ContractOf(other);
    if (block > Points(0)) Grant(block);
    for (int i = 0; i < members; ++i) {
      accounts.push_back(coalition.AccountOf(coalition.AMember()));
    }
    auto started = Lanes::Start({.dsn = coalition.database().dsn(), .lanes = kLanes});
    REQUIRE(started.ok());
    second_process = *std::move(started);
  }

  void Query(const std::string& sql) const { coalition.database().Query(sql); }
  template <typename Id>
  Id IdOf(const std::string& query) const {
    return coalition.database().Query(query)[0].Id<Id>(0);
  }
  ContractId ContractOf(PartnerId partner) const {
    return IdOf<ContractId>(
        absl::StrCat("select contract_id from partner.contracts where kind = "
                     "'ISSUANCE' and partner_id = ",
                     partner.value()));
  }
  void Grant(Points points) {
    REQUIRE(coalition.network()
                .pool()
                .Run([&](postgres::Transaction& tx) {
                  GrantLimit(tx, PointBlocksOf(fresh), points);
                  return absl::OkStatus();
                })
                .ok());
  }
  LimitState State() {
    const auto state = coalition.network().pool().Read(
        [&](postgres::Transaction& tx) -> absl::StatusOr<LimitState> {
          return ReadLimit(tx, PointBlocksOf(fresh));
        });
    REQUIRE(state.ok());
    return *state;
  }

  std::unique_ptr<Command> Gift(AccountId to, Points points) const {
    return std::make_unique<Give>(fresh, fresh_contract, to, points);
  }
  // Another account that the same lane of the second process writes.
  AccountId AnotherOfItsLane(AccountId account) const {
    for (const AccountId other : accounts) {
      const bool same_lane = (BookOf(other).value() - BookOf(account).value()) % kLanes == 0;
      if (other != account && same_lane) return other;
    }
    FAIL("all other accounts are another lane's");
    return {};
  }
  Lanes& LanesOf(int caller) { return caller % 2 == 0 ? coalition.lanes() : *second_process; }
  Result Give1(AccountId to, Points points) {
    return Submit(coalition.lanes(), Gift(to, points)).get();
  }

  testing::Coalition coalition;
  std::unique_ptr<Lanes> second_process;
  PartnerId fresh;
  PartnerId other;
  ContractId fresh_contract;
  ContractId other_contract;
  std::vector<AccountId> accounts;
};

// An account in another book than the first.
AccountId ElsewhereThan(const World& world, AccountId account) {
  for (const AccountId other : world.accounts) {
    if (BookOf(other) != BookOf(account)) return other;
  }
  FAIL("all accounts are in one book");
  return {};
}

// What one caller got: asks for random gifts until there is none left of a single point.
Points SpendAll(World& world, int caller, uint32_t seed, Points largest) {
  std::mt19937 random(seed + static_cast<uint32_t>(caller));
  const AccountId account = world.accounts[static_cast<size_t>(caller) % world.accounts.size()];
  Points got;
  int64_t most = largest.value();
  while (most >= 1) {
    const Points asked(1 + static_cast<int64_t>(random()) % most);
    const Result answer = Submit(world.LanesOf(caller), world.Gift(account, asked)).get();
    if (answer.ok()) {
      got += asked;
    } else if (ReasonOf(answer.status()) == Reason::kPointBlockExhausted) {
      most = asked.value() - 1;
    } else if (ReasonOf(answer.status()) != Reason::kQueueFull) {
      return Points(-1);
    }
  }
  return got;
}

TEST_CASE("Limits: 64 callers of two processes spend a block over 16 books to the last point",
          "[store][ledger][inv-26][inv-27][inv-85]") {
  const uint32_t seed = std::random_device{}();
  INFO("seed " << seed);
  constexpr int kCallers = 64;
  World world(Points(40'000), kCallers);
  std::vector<Points> got(kCallers);
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace_back(
        [&, i] { got[static_cast<size_t>(i)] = SpendAll(world, i, seed, Points(100)); });
  }
  for (std::thread& caller : callers) caller.join();

  Points sum;
  for (const Points points : got) {
    CHECK(points >= Points(0));
    sum += points;
  }
  CHECK(sum == Points(40'000));
  CHECK(world.State().granted == Points(40'000));
  CHECK(world.State().remaining == Points(0));
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("Limits: what no block covers is refused, and says what is left",
          "[store][ledger][inv-85]") {
  World world(Points(0), 2);
  const AccountId account = world.accounts[0];
  CHECK(ReasonOf(world.Give1(account, Points(1)).status()) == Reason::kPointBlockExhausted);
  world.Grant(Points(100));

  const Result too_much = world.Give1(account, Points(101));

  CHECK(ReasonOf(too_much.status()) == Reason::kPointBlockExhausted);
  CHECK(DetailsOf(too_much.status())["remaining_points"] == "100");
  CHECK(world.Give1(account, Points(100)).ok());
  CHECK(ReasonOf(world.Give1(account, Points(1)).status()) == Reason::kPointBlockExhausted);
  testing::CheckInvariants(world.coalition.database());
}

// Moves all that is in a limit's pool to a book that had nothing of it, after a batch has locked
// its books, as the allocator of another process may.
class MovesMeanwhile final : public RowStore {
 public:
  MovesMeanwhile(const World& world, LimitId limit, BookId book)
      : world_(world), limit_(limit), book_(book) {}
  void Load(postgres::Transaction&, const Configuration&, const std::vector<Command*>&) override {
    if (std::exchange(moved_, true)) return;
    world_.Query(absl::StrCat(
        "with limits as (update ledger.limits set pool = 0 where limit_id = ", limit_.value(),
        ") insert into ledger.allowances (book, limit_id, remaining) select ", book_.value(),
        ", limit_id, pool from ledger.limits where limit_id = ", limit_.value()));
  }

 private:
  const World& world_;
  const LimitId limit_;
  const BookId book_;
  bool moved_ = false;
};

TEST_CASE("Limits: what is moved to a book for the first time after a batch began is not missed",
          "[store][ledger][inv-85]") {
  World world(Points(10));
  const AccountId account = world.accounts[0];
  MovesMeanwhile meanwhile(world, PointBlocksOf(world.fresh), BookOf(account));
  std::unique_ptr<Command> gift = world.Gift(account, Points(10));
  gift->rows = &meanwhile;

  CHECK(Submit(world.coalition.lanes(), std::move(gift)).get().ok());
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("Limits: what is taken back in one book can be given in another",
          "[store][ledger][inv-85]") {
  World world(Points(50), 24);
  const AccountId here = world.accounts[0];
  const AccountId there = ElsewhereThan(world, here);
  const Result sale = world.Give1(here, Points(50));
  REQUIRE(sale.ok());
  CHECK(ReasonOf(world.Give1(there, Points(20)).status()) == Reason::kPointBlockExhausted);

  REQUIRE(Submit(world.coalition.lanes(),
                 std::make_unique<TakeBack>(world.fresh, here, sale->place.number, Points(20)))
              .get()
              .ok());

  CHECK(world.State().remaining == Points(20));
  CHECK(world.Give1(there, Points(20)).ok());
  CHECK(world.State().remaining == Points(0));
  testing::CheckInvariants(world.coalition.database());
}

// Goal: an empty limit costs nobody a transaction of the allocator. Method: whoever runs it locks
// the limit's row, which leaves a mark in it.
TEST_CASE("Limits: an empty limit is refused without looking for more, and slows nobody else down",
          "[store][ledger][inv-85]") {
  World world(Points(10), 8);
  REQUIRE(world.Give1(world.accounts[0], Points(10)).ok());
  const std::string mark = "select concat(xmin, ' ', xmax) from ledger.limits";
  const std::string before(world.coalition.database().Query(mark)[0].Text(0));
  std::vector<Future> refused;
  std::vector<Future> accepted;
  for (int i = 0; i < 200; ++i) {
    const AccountId account = world.accounts[static_cast<size_t>(i) % world.accounts.size()];
    refused.push_back(Submit(world.LanesOf(i), world.Gift(account, Points(1 + i % 3))));
    accepted.push_back(
        Submit(world.LanesOf(i),
               std::make_unique<Give>(world.other, world.other_contract, account, Points(5))));
  }
  for (Future& future : refused) {
    CHECK(ReasonOf(future.get().status()) == Reason::kPointBlockExhausted);
  }
  for (Future& future : accepted) CHECK(future.get().ok());
  CHECK(world.coalition.database().Query(mark)[0].Text(0) == before);
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("Limits: a repeat of what a block covered is answered after the block is empty",
          "[store][ledger][inv-11][inv-85]") {
  World world(Points(10));
  auto first = world.Gift(world.accounts[0], Points(10));
  auto repeat = world.Gift(world.accounts[0], Points(10));
  repeat->request_id = first->request_id;
  const Result answer = Submit(world.coalition.lanes(), std::move(first)).get();
  REQUIRE(answer.ok());

  const Result again = Submit(*world.second_process, std::move(repeat)).get();

  REQUIRE(again.ok());
  CHECK(again->replayed);
  CHECK(again->place.number == answer->place.number);
  CHECK(world.State().remaining == Points(0));
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("Limits: a command that did not say whose points it gives does not spend any",
          "[store][ledger][inv-85]") {
  World world(Points(10));
  auto silent = world.Gift(world.accounts[0], Points(1));
  silent->issues = Issues::kNothing;
  CHECK(Submit(world.coalition.lanes(), std::move(silent)).get().status().code() ==
        absl::StatusCode::kInternal);
  CHECK(world.State().remaining == Points(10));
  testing::CheckInvariants(world.coalition.database());
}

// Goal: whatever moment a lane or the allocator loses its session at, points are neither lost nor
// spent twice. Method: their sessions are ended again and again while callers that repeat with the
// same request id spend a block.
TEST_CASE("Limits: sessions that are ended under load lose no points of a block",
          "[store][ledger][inv-85][inv-105]") {
  constexpr int kCallers = 16;
  constexpr int64_t kBlock = 3'000;
  World world(Points(kBlock), kCallers);
  std::atomic<int> answered{0};
  std::atomic<int> finished{0};
  std::vector<Points> got(kCallers);
  const auto spend = [&](int caller) {
    bool more = true;
    while (more) {
      const AccountId account = world.accounts[static_cast<size_t>(caller)];
      const auto sent = world.Gift(account, Points(7));
      Result answer = absl::UnavailableError("");
      while (absl::IsUnavailable(answer.status())) {
        auto attempt = world.Gift(account, Points(7));
        attempt->request_id = sent->request_id;
        answer = Submit(world.LanesOf(caller), std::move(attempt)).get();
      }
      ++answered;
      more = answer.ok() || ReasonOf(answer.status()) == Reason::kQueueFull;
      if (answer.ok()) got[static_cast<size_t>(caller)] += Points(7);
    }
    ++finished;
  };
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i) callers.emplace_back(spend, i);
  int ended = 0;
  for (int next = 5; finished < kCallers;) {
    if (answered < next) {
      std::this_thread::yield();
      continue;
    }
    next = answered + 10;
    ended += world.coalition.database()
                 .Query(
                     "select pg_terminate_backend(pid) from pg_stat_activity where "
                     "application_name in ('guilder lane', 'guilder allocator') and "
                     "datname = current_database() and random() < 0.5")
                 .size();
  }
  for (std::thread& caller : callers) caller.join();

  CHECK(ended >= 20);
  Points sum;
  for (const Points points : got) sum += points;
  CHECK(sum == Points(kBlock / 7 * 7));
  CHECK(world.State().remaining == Points(kBlock % 7));
  testing::CheckInvariants(world.coalition.database());
}

// Goal: what a till sends for a card is done in its order, also where a batch has to be split
// between the two commands. Method: the book is locked until all three commands wait for their
// lane, which then has them in one batch; the first half lacks an allowance.
TEST_CASE("Limits: nothing overtakes what waits for an allowance when a batch is split",
          "[store][ledger][inv-85]") {
  World world(Points(100), 24);
  const AccountId account = world.accounts[0];
  const AccountId other = world.AnotherOfItsLane(account);
  std::vector<Future> answers;
  const auto submit = [&](std::unique_ptr<Command> command) {
    answers.push_back(Submit(*world.second_process, std::move(command)));
  };
  const absl::Status held =
      world.coalition.network().pool().Run([&](postgres::Transaction& transaction) {
        transaction.Script("select from ledger.books for update");
        submit(std::make_unique<Note>(world.fresh, account));
        while (world.coalition.database()
                   .Query("select from pg_stat_activity where wait_event_type = 'Lock' and "
                          "application_name = 'guilder lane' and datname = current_database()")
                   .empty()) {
        }
        submit(world.Gift(account, Points(10)));
        submit(std::make_unique<Poison>(world.fresh, other));
        submit(std::make_unique<Note>(world.fresh, account));
        return absl::OkStatus();
      });
  REQUIRE(held.ok());
  const Result before = answers[0].get();
  const Result gift = answers[1].get();
  const Result poison = answers[2].get();
  const Result after = answers[3].get();

  REQUIRE(before.ok());
  REQUIRE(gift.ok());
  CHECK_FALSE(poison.ok());
  REQUIRE(after.ok());
  CHECK(before->place.number < gift->place.number);
  CHECK(gift->place.number < after->place.number);
  testing::CheckInvariants(world.coalition.database());
}

}  // namespace
}  // namespace guilder::ledger
