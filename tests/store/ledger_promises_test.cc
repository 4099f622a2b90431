// What the ledger promises to whoever trusts it, tried on real lanes.
#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/store/claims.h"
#include "libs/ledger/store/journal.h"
#include "libs/ledger/store/lanes.h"
#include "libs/ledger/store/sealing.h"
#include "libs/security/keys.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"
#include "tests/support/invariants.h"

namespace guilder::ledger {
namespace {

constexpr PartnerId kFresh{1};
constexpr PartnerId kBooks{2};

// Asks one account for whatever `decide` does.
class Ask final : public Command {
 public:
  using Decider = std::function<absl::StatusOr<std::string>(const DecisionContext&, Posting&)>;

  Ask(RecordKind what, PartnerId who, AccountId whose, Decider decide)
      : decide_(std::move(decide)) {
    kind = what;
    partner = who;
    request_id = security::RandomUuid();
    fingerprint = Sha256({content});
    account = whose;
    book = BookOf(whose);
    needs_lots = true;
    needs_lot = LotId(0);
  }
  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    return decide_(context, posting);
  }
  absl::Status OnNaturalKeyTaken(const JournalPlace&, RecordKind) override {
    return Refuse(Reason::kReceiptConflict);
  }

 private:
  const Decider decide_;
};

using Answered = absl::StatusOr<Answer>;

std::future<Answered> Submit(Lanes& lanes, std::unique_ptr<Command> command) {
  auto promise = std::make_shared<std::promise<Answered>>();
  std::future<Answered> future = promise->get_future();
  lanes.Submit(std::move(command),
               [promise](Answered answer) { promise->set_value(std::move(answer)); });
  return future;
}

absl::StatusOr<std::string> Done(const absl::Status& status) {
  if (!status.ok()) return status;
  return "done";
}

// Points of `fresh`, under its contract, for a year.
std::unique_ptr<Ask> Earn(AccountId account, Points points) {
  return std::make_unique<Ask>(
      RecordKind::kPurchase, kFresh, account, [=](const DecisionContext& context, Posting& p) {
        const Contract* contract =
            context.configuration.FindPartner(kFresh)->ContractAt(ContractKind::kIssuance, p.now());
        EarnTerms terms;
        terms.issuer = kFresh;
        terms.contract = contract->id;
        terms.points = points;
        terms.activates_at = p.now();
        terms.expires_at = p.now() + Timestamp(365 * kMicrosPerDay);
        return Done(DecideEarn(p, terms));
      });
}

std::unique_ptr<Ask> Return(AccountId account, RecordNumber purchase, Points points) {
  auto ask = std::make_unique<Ask>(
      RecordKind::kReturn, kFresh, account, [=](const DecisionContext&, Posting& p) {
        return Done(DecideReverse(p, MakeLotId(purchase), points).status());
      });
  ask->refers_to = purchase;
  return ask;
}

std::unique_ptr<Ask> Hold(AccountId account, Points points) {
  return std::make_unique<Ask>(
      RecordKind::kAuthorization, kBooks, account, [=](const DecisionContext& context, Posting& p) {
        const Contract* contract = context.configuration.FindPartner(kBooks)->ContractAt(
            ContractKind::kRedemption, p.now());
        return Done(DecideHold(
            p, {kBooks, StoreId(2), contract->id, points, p.now() + Timestamp(kMicrosPerDay)}));
      });
}

std::unique_ptr<Ask> Capture(AccountId account, RecordNumber hold) {
  auto ask = std::make_unique<Ask>(
      RecordKind::kCapture, kBooks, account, [=](const DecisionContext&, Posting& p) {
        return Done(DecideCapture(p, kBooks, hold, Points(0), /*final=*/true).status());
      });
  ask->hold = hold;
  ask->refers_to = hold;
  return ask;
}

// The invariants are checked at the end.
struct World {
  World() : card(coalition.AMember()), account(coalition.AccountOf(card)) {}
  ~World() { testing::CheckInvariants(coalition.database()); }

  Answered Post(std::unique_ptr<Command> command) {
    return Submit(coalition.lanes(), std::move(command)).get();
  }
  int64_t Count(const std::string& query) const {
    return coalition.database().Query(query)[0].Int(0);
  }
  // A member whose account is in another book.
  AccountId Elsewhere() {
    for (;;) {
      const AccountId other = coalition.AccountOf(coalition.AMember());
      if (BookOf(other) != BookOf(account)) return other;
    }
  }
  // Every record and entry, whole, by its place.
  std::map<std::string, std::string> History() const {
    std::map<std::string, std::string> rows;
    for (const char* table : {"journal", "entries"}) {
      const std::string line = table == std::string("entries") ? "t.line" : "0";
      for (const postgres::Row& row : coalition.database().Query(
               std::string("select concat_ws(' ', '") + table + "', t.book, t.number, " + line +
               "), t::text from ledger." + table + " t")) {
        rows.emplace(row.Text(0), row.Text(1));
      }
    }
    return rows;
  }

  testing::Coalition coalition;
  std::string card;
  AccountId account;
};

TEST_CASE("Ledger: what was written stays, and a correction is a record of its own that names it",
          "[store][ledger][inv-4]") {
  World world;
  const Answered bought = world.Post(Earn(world.account, Points(100)));
  REQUIRE(bought.ok());
  const Answered held = world.Post(Hold(world.account, Points(60)));
  REQUIRE(held.ok());
  REQUIRE(world.Post(Capture(world.account, held->place.number)).ok());
  const auto before = world.History();

  const Answered returned = world.Post(Return(world.account, bought->place.number, Points(70)));
  REQUIRE(returned.ok());
  world.coalition.AdvanceDays(400);
  REQUIRE(world.Post(Earn(world.account, Points(1))).ok());

  const auto after = world.History();
  CHECK(after.size() > before.size());
  for (const auto& [place, row] : before) CHECK(after.at(place) == row);
  const std::string number = std::to_string(returned->place.number.value());
  CHECK(world.Count("select refers_to from ledger.journal where kind = " +
                    std::to_string(static_cast<int>(RecordKind::kReturn)) +
                    " and number = " + number) == bought->place.number.value());
  CHECK(world.Count("select sum(points) from ledger.entries where credit_bucket = 1 and number = " +
                    number) == 70);
}

TEST_CASE("Ledger: who deletes cards, members, rules or contracts deletes no entry",
          "[store][ledger][inv-4]") {
  World world;
  REQUIRE(world.Post(Earn(world.account, Points(100))).ok());
  const auto before = world.History();

  world.coalition.database().Query(
      "delete from member.cards; delete from member.members; delete from accrual.rule_sets; "
      "delete from partner.contracts; delete from partner.credentials; "
      "delete from partner.terminals; delete from partner.stores; delete from partner.partners");

  CHECK(world.History() == before);
}

// One partner funds a lot whole: its issuer. So the shares of its funders come to the lot.
TEST_CASE("Lots: each names its issuer and the contract version that prices all of it",
          "[store][ledger][inv-7]") {
  World world;
  const AccountId other = world.Elsewhere();
  for (int i = 1; i <= 20; ++i) {
    REQUIRE(world.Post(Earn(i % 2 == 0 ? other : world.account, Points(i))).ok());
  }
  const std::string lots = "select count(*) from ledger.lots l ";

  CHECK(world.Count(lots) == 20);
  CHECK(world.Count(lots + "join partner.contracts c on c.contract_id = l.contract_id "
                           "and c.partner_id = l.issuer_id where c.kind = 'ISSUANCE' "
                           "and c.state = 'APPROVED' and c.rate_micros > 0") == 20);
  // Issued points are billed by contract: what all lots of a version gave, and no more.
  CHECK(world.Count("select count(*) from (select contract_id, sum(issued) as points "
                    "from ledger.lots group by contract_id) l "
                    "full join (select contract_id, sum(points) as points from ledger.positions "
                    "where movement = 1 group by contract_id) p using (contract_id) "
                    "where l.points is distinct from p.points") == 0);
}

// Goal: callers who want the same books and the same claims in opposite orders all get answers.
// Method: two processes, each with one lane, so that a batch has both books; the claims are crossed
// between the accounts, and each batch has many.
TEST_CASE(
    "Lanes: batches that want each other's books and claims in opposite orders never deadlock",
    "[store][ledger][inv-9]") {
  World world;
  const AccountId other = world.Elsewhere();
  const auto start = [&] {
    return Lanes::Start({.dsn = world.coalition.database().dsn(), .lanes = 1});
  };
  auto one = start();
  auto two = start();
  REQUIRE(one.ok());
  REQUIRE(two.ok());
  constexpr int kRounds = 400;
  const auto give = [](AccountId to, const std::string& receipt) {
    auto ask = Earn(to, Points(5));
    ask->content = "for " + std::to_string(to.value());
    ask->fingerprint = Sha256({ask->content});
    ask->natural_key = ClaimKey(kFresh, "receipt", receipt);
    return ask;
  };
  const auto send = [&](Lanes& lanes, AccountId first, AccountId second) {
    std::vector<std::future<Answered>> answers;
    for (int round = 0; round < kRounds; ++round) {
      answers.push_back(Submit(lanes, give(first, std::to_string(round) + "a")));
      answers.push_back(Submit(lanes, give(second, std::to_string(round) + "b")));
    }
    int posted = 0;
    int conflicts = 0;
    for (auto& future : answers) {
      const Answered answer = future.get();
      posted += answer.ok();
      conflicts += ReasonOf(answer.status()) == Reason::kReceiptConflict;
    }
    return std::pair(posted, conflicts);
  };

  auto forth = std::async(std::launch::async, [&] { return send(**one, world.account, other); });
  const auto [posted, conflicts] = send(**two, other, world.account);
  const auto [posted_forth, conflicts_forth] = forth.get();

  CHECK(posted + posted_forth == 2 * kRounds);
  CHECK(conflicts + conflicts_forth == 2 * kRounds);
  CHECK(world.Count("select sum(available) from ledger.accounts") == 2 * kRounds * 5);
  CHECK(world.Count("select deadlocks from pg_stat_database where datname = current_database()") ==
        0);
}

TEST_CASE("Lanes: points that a book's sums cannot take are refused by name, and alone",
          "[store][ledger][inv-10]") {
  World world;
  REQUIRE(world.Post(Earn(world.account, Points(10))).ok());
  // As if the partner had given nearly all that int64 holds.
  world.coalition.database().Query(
      "update ledger.control_accounts set balance = balance - 9223372036854770000");
  std::vector<std::future<Answered>> answers;
  for (const int64_t points : {5, 1'000'000, 7}) {
    answers.push_back(Submit(world.coalition.lanes(), Earn(world.account, Points(points))));
  }

  CHECK(answers[0].get().ok());
  CHECK(ReasonOf(answers[1].get().status()) == Reason::kAmountOutOfRange);
  CHECK(answers[2].get().ok());

  CHECK(world.Count("select sum(available) from ledger.accounts") == 22);
  world.coalition.database().Query(
      "update ledger.control_accounts set balance = balance + 9223372036854770000");
}

TEST_CASE(
    "Lanes: a request and its receipt are known after 400 days, long after its window is sealed",
    "[store][ledger][inv-19]") {
  World world;
  auto first = Earn(world.account, Points(25));
  first->natural_key = ClaimKey(kFresh, "receipt", "1");
  const auto repeat = [&, id = first->request_id](bool same_id) {
    auto again = Earn(world.account, Points(25));
    if (same_id) again->request_id = id;
    again->natural_key = ClaimKey(kFresh, "receipt", "1");
    return world.Post(std::move(again));
  };
  const Answered posted = world.Post(std::move(first));
  REQUIRE(posted.ok());
  for (int step = 0; step < 14; ++step) {
    world.coalition.AdvanceDays(30);
    REQUIRE(SealEndedWindows(world.coalition.network().pool()).ok());
  }

  const Answered by_id = repeat(true);
  const Answered by_receipt = repeat(false);

  for (const Answered* answer : {&by_id, &by_receipt}) {
    REQUIRE(answer->ok());
    CHECK((*answer)->replayed);
    CHECK((*answer)->response == posted->response);
    CHECK((*answer)->place.leaf == posted->place.leaf);
  }
  CHECK(world.Count("select count(*) from ledger.lots") == 1);
  CHECK(world.Count("select count(*) from ledger.journal where posted_at_us < "
                    "(select max(boundary_us) from ledger.seals)") >= 2);
}

// What a reader that goes on from a cursor gets: a record's book and number are its name.
class JournalFollower {
 public:
  explicit JournalFollower(postgres::Pool& pool, int books) : pool_(pool) {
    for (int book = 1; book <= books; ++book) cursors_[BookId(book)] = RecordNumber();
  }

  // False when a number is left out or comes again.
  bool Follow() {
    bool gapless = true;
    for (auto& [book, cursor] : cursors_) {
      (void)pool_.Read([&, book = book](postgres::Transaction& tx) {
        std::vector<StoredRecord> records =
            ReadRecords(tx, book, cursor, RecordNumber(cursor.value() + 1'000)).records;
        for (const StoredRecord& stored : records) {
          gapless = gapless && stored.record.number.value() == cursor.value() + 1;
          cursor = stored.record.number;
          leaves_[{book, stored.record.number}] = stored.leaf;
        }
        return absl::OkStatus();
      });
    }
    return gapless;
  }
  const std::map<std::pair<BookId, RecordNumber>, Digest>& leaves() const { return leaves_; }

 private:
  postgres::Pool& pool_;
  std::map<BookId, RecordNumber> cursors_;
  std::map<std::pair<BookId, RecordNumber>, Digest> leaves_;
};

// Goal: what a follower of the journal sees is what was committed: each record once, in order,
// whenever it looks. Method: sessions of lanes are ended while it follows, so that many batches are
// rolled back, some after their records were written.
TEST_CASE("Journal: followed from a cursor, it has what was committed, once, in order, no gaps",
          "[store][ledger][inv-106]") {
  World world;
  const AccountId other = world.Elsewhere();
  postgres::Pool& pool = world.coalition.network().pool();
  const int books = static_cast<int>(world.Count("select count(*) from ledger.books"));
  std::atomic<bool> posting = true;
  JournalFollower follower(pool, books);
  bool gapless = true;
  std::thread follows([&] {
    while (posting) gapless = follower.Follow() && gapless;
  });
  std::set<std::pair<BookId, RecordNumber>> acknowledged;
  for (int round = 0; round < 40; ++round) {
    std::vector<std::future<Answered>> answers;
    for (int i = 0; i < 50; ++i) {
      answers.push_back(
          Submit(world.coalition.lanes(), Earn(i % 2 == 0 ? world.account : other, Points(1))));
    }
    if (round % 4 == 0) {
      world.coalition.database().Query(
          "select pg_terminate_backend(pid) from pg_stat_activity "
          "where datname = current_database() and application_name = 'guilder lane'");
    }
    for (auto& answer : answers) {
      if (const Answered got = answer.get(); got.ok()) {
        acknowledged.insert({got->place.book, got->place.number});
      }
    }
  }
  posting = false;
  follows.join();
  gapless = follower.Follow() && gapless;
  JournalFollower again(pool, books);
  gapless = again.Follow() && gapless;
  while (again.leaves().size() < follower.leaves().size() && again.Follow()) {
  }

  CHECK(gapless);
  CHECK(again.leaves() == follower.leaves());
  CHECK(follower.leaves().size() ==
        static_cast<size_t>(world.Count("select sum(last_number) from ledger.books")));
  CHECK(acknowledged.size() > 500);
  for (const auto& place : acknowledged) {
    if (!follower.leaves().contains(place)) FAIL("an acknowledged record is missing");
  }
}

}  // namespace
}  // namespace guilder::ledger
