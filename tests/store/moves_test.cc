// Commands on several accounts, on real lanes: moves between books, and accounts that were merged.
#include "libs/ledger/core/moves.h"

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/forwards.h"
#include "libs/ledger/store/lanes.h"
#include "libs/ledger/store/reader.h"
#include "libs/ledger/store/verify.h"
#include "libs/security/keys.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"
#include "tests/support/invariants.h"

namespace guilder::ledger {
namespace {

constexpr PartnerId kFresh{1};
constexpr PartnerId kBooks{2};

using Answered = absl::StatusOr<Answer>;

class Ask final : public Command {
 public:
  using Decider = std::function<absl::Status(const DecisionContext&, std::vector<Posting>&)>;

  Ask(RecordKind what, PartnerId who, AccountId whose, Decider decide)
      : decide_(std::move(decide)) {
    kind = what;
    partner = who;
    request_id = security::RandomUuid();
    account = whose;
    book = BookOf(whose);
    needs_lots = true;
  }
  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    std::vector<Posting> alone = {posting};
    const absl::Status decided = decide_(context, alone);
    posting = alone[0];
    if (!decided.ok()) return decided;
    return "done";
  }
  absl::StatusOr<std::string> DecideTogether(const DecisionContext& context,
                                             std::vector<Posting>& postings) override {
    const absl::Status decided = decide_(context, postings);
    if (!decided.ok()) return decided;
    return "done";
  }

 private:
  const Decider decide_;
};

std::unique_ptr<Ask> Move(AccountId from, AccountId to, int64_t points) {
  auto ask = std::make_unique<Ask>(RecordKind::kTransfer, kFresh, from,
                                   [=](const DecisionContext&, std::vector<Posting>& p) {
                                     return DecideMove(p[0], p[1], Points(points));
                                   });
  ask->others = {to};
  return ask;
}

std::unique_ptr<Ask> Merge(AccountId from, AccountId into) {
  auto ask = std::make_unique<Ask>(
      RecordKind::kMerge, kFresh, from,
      [](const DecisionContext&, std::vector<Posting>& p) { return DecideMerge(p[0], p[1]); });
  ask->others = {into};
  ask->content = EncodeMerge(into);
  return ask;
}

// Points of `fresh` that wait for `waits_days` and live for `life_days`.
std::unique_ptr<Ask> Earn(AccountId account, int64_t points, int waits_days = 0,
                          int life_days = 365) {
  return std::make_unique<Ask>(
      RecordKind::kPurchase, kFresh, account,
      [=](const DecisionContext& context, std::vector<Posting>& p) {
        const Contract* contract = context.configuration.FindPartner(kFresh)->ContractAt(
            ContractKind::kIssuance, p[0].now());
        EarnTerms terms;
        terms.issuer = kFresh;
        terms.contract = contract->id;
        terms.points = Points(points);
        terms.activates_at = p[0].now() + Timestamp(waits_days * kMicrosPerDay);
        terms.expires_at = p[0].now() + Timestamp(life_days * kMicrosPerDay);
        return DecideEarn(p[0], terms);
      });
}

std::unique_ptr<Ask> ActOn(RecordKind kind, PartnerId partner, AccountId account,
                           RecordNumber record, std::function<absl::Status(Posting&)> decide) {
  auto ask = std::make_unique<Ask>(
      kind, partner, account,
      [=](const DecisionContext&, std::vector<Posting>& p) { return decide(p[0]); });
  ask->refers_to = record;
  ask->needs_lot = LotId(1);
  return ask;
}

std::unique_ptr<Ask> Return(AccountId account, RecordNumber purchase, int64_t points) {
  return ActOn(RecordKind::kReturn, kFresh, account, purchase, [=](Posting& p) {
    return DecideReverse(p, MakeLotId(purchase), Points(points)).status();
  });
}

std::unique_ptr<Ask> Hold(AccountId account, int64_t points) {
  return std::make_unique<Ask>(
      RecordKind::kAuthorization, kBooks, account,
      [=](const DecisionContext& context, std::vector<Posting>& p) {
        const Contract* contract = context.configuration.FindPartner(kBooks)->ContractAt(
            ContractKind::kRedemption, p[0].now());
        return DecideHold(p[0], {kBooks, StoreId(2), contract->id, Points(points),
                                 p[0].now() + Timestamp(kMicrosPerDay)});
      });
}

std::unique_ptr<Ask> OnHold(RecordKind kind, AccountId account, RecordNumber hold,
                            std::function<absl::Status(Posting&)> decide) {
  auto ask = ActOn(kind, kBooks, account, hold, std::move(decide));
  ask->hold = hold;
  return ask;
}

std::unique_ptr<Ask> Capture(AccountId account, RecordNumber hold, int64_t points) {
  return OnHold(RecordKind::kCapture, account, hold, [=](Posting& p) {
    return DecideCapture(p, kBooks, hold, Points(points), /*final=*/false).status();
  });
}

std::unique_ptr<Ask> Void(AccountId account, RecordNumber hold) {
  return OnHold(RecordKind::kVoid, account, hold,
                [=](Posting& p) { return DecideRelease(p, kBooks, hold).status(); });
}

std::unique_ptr<Ask> Refund(AccountId account, RecordNumber hold, int64_t points) {
  return OnHold(RecordKind::kRefund, account, hold,
                [=](Posting& p) { return DecideRefund(p, kBooks, hold, Points(points)); });
}

struct Balances {
  int64_t pending;
  int64_t available;
  int64_t held;
  int64_t debt;
  friend bool operator==(const Balances&, const Balances&) = default;
};

std::ostream& operator<<(std::ostream& out, const Balances& b) {
  return out << b.pending << " pending, " << b.available << " available, " << b.held << " held, "
             << b.debt << " owed";
}

// At the end the invariants are checked, and the ledger is verified.
class World {
 public:
  World() : anna(AnAccount()), bert(AnAccount()) {
    while (BookOf(anna) == BookOf(bert)) bert = AnAccount();
  }
  ~World() {
    testing::CheckInvariants(coalition.database());
    const auto report = Verify(coalition.network().pool(), {}, [](const auto&) { return true; });
    REQUIRE(report.ok());
    for (const VerifyCheck& check : report->checks) {
      INFO(check.name << ": " << check.first_failure);
      CHECK(check.ok);
    }
  }

  AccountId AnAccount() { return coalition.AccountOf(coalition.AMember()); }

  std::future<Answered> Submit(std::unique_ptr<Command> command) {
    return Submit(coalition.lanes(), std::move(command));
  }
  static std::future<Answered> Submit(Lanes& lanes, std::unique_ptr<Command> command) {
    auto promise = std::make_shared<std::promise<Answered>>();
    std::future<Answered> future = promise->get_future();
    lanes.Submit(std::move(command),
                 [promise](Answered answer) { promise->set_value(std::move(answer)); });
    return future;
  }
  Answered Post(std::unique_ptr<Command> command) { return Submit(std::move(command)).get(); }
  RecordNumber Must(std::unique_ptr<Command> command) {
    const Answered answer = Post(std::move(command));
    INFO(answer.status());
    REQUIRE(answer.ok());
    return answer->place.number;
  }

  Balances Of(AccountId account) {
    Balances found{};
    REQUIRE(coalition.network()
                .pool()
                .Run([&](postgres::Transaction& tx) {
                  const auto now = ReadAccountWithLots(tx, account);
                  const AccountState& state = now->state;
                  found = {state.pending.value(), state.available.value(), state.held.value(),
                           state.debt.value()};
                  return absl::OkStatus();
                })
                .ok());
    return found;
  }
  int64_t Count(const std::string& query) const {
    return coalition.database().Query(query)[0].Int(0);
  }

  testing::Coalition coalition;
  AccountId anna;
  AccountId bert;
};

TEST_CASE("Moves: lots come to another book with issuer, contract and dates",
          "[store][ledger][inv-67]") {
  World world;
  world.Must(Earn(world.anna, 100, 0, 30));
  world.Must(Earn(world.anna, 50, 0, 10));

  world.Must(Move(world.anna, world.bert, 70));

  CHECK(world.Of(world.anna) == Balances{0, 80, 0, 0});
  CHECK(world.Of(world.bert) == Balances{0, 70, 0, 0});
  // What expires first goes first, and nothing else changed.
  CHECK(world.Count("select count(*) from ledger.lots l join ledger.lots o on o.account_id = "
                    "l.origin_account and o.lot_id = l.origin_lot and (o.issuer_id, o.contract_id, "
                    "o.activates_at_us, o.expires_at_us, o.on_due) = (l.issuer_id, l.contract_id, "
                    "l.activates_at_us, l.expires_at_us, l.on_due) where l.issued in (50, 20)") ==
        2);
  // One instant, and a record in each book.
  CHECK(world.Count(
            "select count(distinct posted_at_us) from ledger.journal where kind in (41, 44)") == 1);
  CHECK(world.Count("select count(distinct book) from ledger.journal where kind in (41, 44)") == 2);
  world.coalition.AdvanceDays(31);
  CHECK(world.Of(world.bert) == Balances{0, 0, 0, 0});
}

TEST_CASE("Moves: a repeat gets the first answer, and moves nothing", "[store][ledger][inv-11]") {
  World world;
  world.Must(Earn(world.anna, 100));
  auto first = Move(world.anna, world.bert, 30);
  auto again = Move(world.anna, world.bert, 30);
  again->request_id = first->request_id;

  const Answered moved = world.Post(std::move(first));
  const Answered repeated = world.Post(std::move(again));

  REQUIRE(moved.ok());
  REQUIRE(repeated.ok());
  CHECK(repeated->replayed);
  CHECK(repeated->place.leaf == moved->place.leaf);
  CHECK(world.Of(world.bert) == Balances{0, 30, 0, 0});
}

TEST_CASE("Moves: what may not be moved stays where it is", "[store][ledger]") {
  World world;
  world.Must(Earn(world.anna, 100));
  world.Must(Hold(world.anna, 40));

  CHECK(ReasonOf(world.Post(Move(world.anna, world.bert, 61)).status()) ==
        Reason::kInsufficientPoints);
  CHECK(ReasonOf(world.Post(Move(world.anna, world.bert, 0)).status()) ==
        Reason::kAmountOutOfRange);
  CHECK(ReasonOf(world.Post(Move(world.anna, MakeAccountId(900, BookId(1)), 1)).status()) ==
        Reason::kMemberNotFound);

  CHECK(world.Of(world.anna) == Balances{0, 60, 40, 0});
  CHECK(world.Count("select count(*) from ledger.control_accounts where kind = 4") == 0);
}

// Goal: nobody waits in a circle, and no point is lost or made.
// Method: two processes, each moves points to and fro while purchases come to both accounts.
TEST_CASE("Moves: to and fro between two books at once, beside purchases, without a deadlock",
          "[store][ledger][inv-9]") {
  World world;
  constexpr int kRounds = 100;
  auto other = Lanes::Start({.dsn = world.coalition.database().dsn(), .lanes = 2});
  REQUIRE(other.ok());
  world.Must(Earn(world.anna, 1'000));
  world.Must(Earn(world.bert, 1'000));
  const auto send = [&](Lanes& lanes, AccountId from, AccountId to) {
    std::vector<std::future<Answered>> answers;
    for (int round = 0; round < kRounds; ++round) {
      answers.push_back(World::Submit(lanes, Move(from, to, 3)));
      answers.push_back(World::Submit(lanes, Move(to, from, 2)));
      answers.push_back(World::Submit(lanes, Earn(from, 1)));
    }
    int posted = 0;
    for (auto& answer : answers) posted += answer.get().ok();
    return posted;
  };

  auto forth =
      std::async(std::launch::async, [&] { return send(**other, world.anna, world.bert); });
  const int back = send(world.coalition.lanes(), world.bert, world.anna);

  CHECK(back == 3 * kRounds);
  CHECK(forth.get() == 3 * kRounds);
  CHECK(world.Of(world.anna) == Balances{0, 1'100, 0, 0});
  CHECK(world.Of(world.bert) == Balances{0, 1'100, 0, 0});
  CHECK(world.Count("select deadlocks from pg_stat_database where datname = current_database()") ==
        0);
}

TEST_CASE("Merge: pending, available and held points are whole, and old names go on",
          "[store][ledger][inv-71]") {
  World world;
  world.Must(Earn(world.anna, 100));
  world.Must(Earn(world.anna, 25, 14));
  const RecordNumber hold = world.Must(Hold(world.anna, 60));
  world.Must(Earn(world.bert, 5));

  world.Must(Merge(world.anna, world.bert));

  CHECK(world.Of(world.anna) == Balances{0, 0, 60, 0});
  CHECK(world.Of(world.bert) == Balances{25, 45, 0, 0});
  world.Must(Capture(world.anna, hold, 20));
  CHECK(world.Of(world.anna) == Balances{0, 0, 40, 0});
  world.Must(Void(world.anna, hold));
  CHECK(world.Of(world.anna) == Balances{0, 0, 0, 0});
  CHECK(world.Of(world.bert) == Balances{25, 85, 0, 0});
  world.Must(Refund(world.anna, hold, 20));
  CHECK(world.Of(world.bert) == Balances{25, 105, 0, 0});
  world.coalition.AdvanceDays(15);
  CHECK(world.Of(world.bert) == Balances{0, 130, 0, 0});
}

TEST_CASE("Merge: a return of what was bought before takes back exactly its lot, or makes a debt",
          "[store][ledger][inv-47]") {
  World world;
  const RecordNumber bought = world.Must(Earn(world.anna, 100));
  const RecordNumber waiting = world.Must(Earn(world.anna, 40, 14));
  world.Must(Earn(world.bert, 30, 0, 1));
  world.Must(Merge(world.anna, world.bert));

  world.Must(Return(world.anna, bought, 20));
  CHECK(world.Of(world.bert) == Balances{40, 110, 0, 0});
  world.Must(Return(world.anna, waiting, 10));
  CHECK(world.Of(world.bert) == Balances{30, 110, 0, 0});

  const RecordNumber spent = world.Must(Hold(world.bert, 110));
  world.Must(Capture(world.bert, spent, 110));
  world.Must(Return(world.anna, bought, 50));
  CHECK(world.Of(world.anna) == Balances{0, 0, 0, 0});
  CHECK(world.Of(world.bert) == Balances{30, 0, 0, 50});
  // The next points repay it.
  world.Must(Earn(world.bert, 70));
  CHECK(world.Of(world.bert) == Balances{30, 20, 0, 0});
  CHECK(ReasonOf(world.Post(Return(world.anna, bought, 31)).status()) ==
        Reason::kReturnExceedsSale);
}

TEST_CASE("Merge: a return may do without what a limit does not cover", "[store][ledger][inv-85]") {
  World world;
  const RecordNumber bought = world.Must(Earn(world.anna, 100));
  world.Must(Merge(world.anna, world.bert));
  // `books` has bought no block.
  world.coalition.database().Query(
      "update partner.contracts set funding = 'PREPAID_BLOCK' where kind = 'ISSUANCE' and "
      "partner_id = 2");
  world.coalition.database().Query("update ledger.configuration set version = version + 1");
  const auto with_gift = [&](bool minds) {
    const auto decide = [=](const DecisionContext& context, std::vector<Posting>& p) {
      const absl::Status taken = DecideReverse(p[0], MakeLotId(bought), Points(20)).status();
      const Contract* contract = context.configuration.FindPartner(kBooks)->ContractAt(
          ContractKind::kIssuance, p[1].now());
      if (minds && context.IsExhausted(contract->limit)) return taken;
      return DecideEarn(p[1], {kBooks, contract->id, Points(1), p[1].now()});
    };
    auto ask = std::make_unique<Ask>(RecordKind::kReturn, kFresh, world.anna, decide);
    ask->refers_to = bought;
    ask->needs_lot = LotId(1);
    ask->payers = {kBooks};
    return ask;
  };
  CHECK(ReasonOf(world.Post(with_gift(false)).status()) == Reason::kPointBlockExhausted);
  world.Must(with_gift(true));
  CHECK(world.Of(world.bert) == Balances{0, 80, 0, 0});
}

TEST_CASE("Merge: what expired at the survivor is not owed when its goods come back",
          "[store][ledger][inv-47]") {
  World world;
  const RecordNumber bought = world.Must(Earn(world.anna, 100, 0, 10));
  world.Must(Merge(world.anna, world.bert));
  world.coalition.AdvanceDays(11);
  world.Must(Earn(world.bert, 7));

  world.Must(Return(world.anna, bought, 100));

  CHECK(world.Of(world.bert) == Balances{0, 7, 0, 0});
}

TEST_CASE("Merge: what became available at the survivor is activated once, also where it expired",
          "[store][ledger][inv-47]") {
  World world;
  const RecordNumber bought = world.Must(Earn(world.anna, 100, 5, 10));
  world.Must(Merge(world.anna, world.bert));
  world.coalition.AdvanceDays(6);
  world.Must(Earn(world.bert, 7));
  world.coalition.AdvanceDays(5);
  world.Must(Earn(world.bert, 7));
  const std::string activated = absl::StrCat(
      "select coalesce(sum(points), 0)::bigint from ledger.entries where points = 100 and "
      "debit_bucket = ",
      static_cast<int>(Bucket::kPending),
      " and credit_bucket = ", static_cast<int>(Bucket::kAvailable));
  REQUIRE(world.Count(activated) == 100);

  world.Must(Return(world.anna, bought, 100));

  CHECK(world.Count(activated) == 100);
  CHECK(world.Of(world.bert) == Balances{0, 14, 0, 0});
}

TEST_CASE("Merge: a purchase that waits is confirmed by its old name", "[store][ledger][inv-47]") {
  World world;
  const RecordNumber waiting = world.Must(Earn(world.anna, 40, 14));
  world.Must(Merge(world.anna, world.bert));

  world.Must(ActOn(RecordKind::kConfirmation, kFresh, world.anna, waiting,
                   [=](Posting& p) { return DecideConfirm(p, MakeLotId(waiting)).status(); }));

  CHECK(world.Of(world.bert) == Balances{0, 40, 0, 0});
}

TEST_CASE("Merge: who owes goes on owing, and who is owed to is repaid",
          "[store][ledger][inv-43]") {
  World world;
  const RecordNumber bought = world.Must(Earn(world.anna, 100));
  const RecordNumber hold = world.Must(Hold(world.anna, 100));
  world.Must(Capture(world.anna, hold, 100));
  world.Must(Return(world.anna, bought, 60));
  REQUIRE(world.Of(world.anna) == Balances{0, 0, 0, 60});
  world.Must(Earn(world.bert, 25));

  world.Must(Merge(world.anna, world.bert));

  CHECK(world.Of(world.anna) == Balances{0, 0, 0, 0});
  CHECK(world.Of(world.bert) == Balances{0, 0, 0, 35});
  world.Must(Earn(world.bert, 50));
  CHECK(world.Of(world.bert) == Balances{0, 15, 0, 0});
}

TEST_CASE("Merge: chains resolve, and what still comes to the first arrives at the last",
          "[store][ledger][inv-72]") {
  World world;
  const AccountId carl = world.AnAccount();
  const RecordNumber bought = world.Must(Earn(world.anna, 100));
  world.Must(Merge(world.anna, world.bert));
  world.Must(Merge(world.bert, carl));

  world.Must(Earn(world.anna, 11));
  world.Must(Return(world.anna, bought, 40));

  CHECK(world.Of(carl) == Balances{0, 71, 0, 0});
  CHECK(world.Of(world.anna) == Balances{0, 0, 0, 0});
  CHECK(world.Of(world.bert) == Balances{0, 0, 0, 0});
  AccountId survivor;
  REQUIRE(world.coalition.network()
              .pool()
              .Run([&](postgres::Transaction& tx) {
                survivor = SurvivorOf(tx, world.anna);
                return absl::OkStatus();
              })
              .ok());
  CHECK(survivor == carl);
  CHECK(ReasonOf(world.Post(Merge(carl, world.anna)).status()) == Reason::kAccountClosed);
}

TEST_CASE("Merge: into each other at once, one wins", "[store][ledger][inv-72]") {
  World world;
  world.Must(Earn(world.anna, 10));
  world.Must(Earn(world.bert, 20));

  auto forth = world.Submit(Merge(world.anna, world.bert));
  auto back = world.Submit(Merge(world.bert, world.anna));
  const Answered one = forth.get();
  const Answered two = back.get();

  CHECK(one.ok() != two.ok());
  CHECK(ReasonOf(one.ok() ? two.status() : one.status()) == Reason::kAccountClosed);
  CHECK(world.Count("select sum(available) from ledger.accounts") == 30);
  CHECK(world.Count("select count(*) from ledger.accounts where available > 0") == 1);
}

}  // namespace
}  // namespace guilder::ledger
