// Windows that are cut while two processes post as fast as they can.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "libs/ledger/store/sealing.h"
#include "libs/security/keys.h"
#include "tests/model/history.h"
#include "tests/model/world.h"
#include "tests/support/catch2.h"
#include "tests/support/invariants.h"

namespace guilder::model {
namespace {

constexpr int kWindows = 500;
constexpr absl::Duration kWindow = absl::Milliseconds(20);
constexpr int kAccounts = 64;
constexpr int kInFlight = 64;
// A quiet machine stays below 250 ms by far; others share this one.
constexpr absl::Duration kSlowestAllowed = absl::Seconds(2);

// Keeps so many requests under way, in turn by both processes, until it is told to stop.
class Load {
 public:
  Load(World& world, std::vector<AccountId> accounts)
      : world_(world), accounts_(std::move(accounts)) {
    for (int i = 0; i < kInFlight; ++i) Send();
  }
  // Waits for the answers that are under way.
  void Stop() {
    stopping_ = true;
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return under_way_ == 0; });
  }

  int64_t answered() const { return answered_; }
  // After Stop.
  const std::string& trouble() const { return trouble_; }
  absl::Duration slowest() const { return slowest_; }

 private:
  void Send() {
    Order order;
    const int64_t number = ++sent_;
    order.request.verb = Verb::kEarn;
    order.request.partner = PartnerId(1 + number % 4);
    order.request.contract = IssuanceContract(order.request.partner, 1);
    order.request.account = accounts_[static_cast<size_t>(number) % accounts_.size()];
    order.request.points = Points(1 + number % 50);
    order.request_id = security::RandomUuid();
    {
      const std::lock_guard lock(mutex_);
      ++under_way_;
    }
    world_.Submit(static_cast<int>(number % kProcesses), order,
                  [this, start = absl::Now()](const absl::StatusOr<ledger::Answer>& answer) {
                    Heard(answer.status(), absl::Now() - start);
                  });
  }

  void Heard(const absl::Status& status, absl::Duration took) {
    ++answered_;
    if (!stopping_) Send();
    const std::lock_guard lock(mutex_);
    slowest_ = std::max(slowest_, took);
    if (!status.ok() && trouble_.empty()) trouble_ = status.ToString();
    --under_way_;
    idle_.notify_one();
  }

  World& world_;
  const std::vector<AccountId> accounts_;
  std::atomic<int64_t> sent_ = 0;
  std::atomic<int64_t> answered_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable idle_;
  int under_way_ = 0;
  absl::Duration slowest_;
  std::string trouble_;
};

std::vector<AccountId> OpenAccounts(World& world, int count) {
  for (int i = 0; i < count; ++i) {
    Order order;
    order.request_id = security::RandomUuid();
    order.book = BookId(1 + i % kBooks);
    if (!world.Post(i % kProcesses, order).ok()) throw std::runtime_error("no account");
  }
  std::vector<AccountId> accounts;
  for (const postgres::Row& row :
       world.database().Query("select account_id from ledger.accounts")) {
    accounts.push_back(row.Id<AccountId>(0));
  }
  return accounts;
}

// Boundaries at equal distances, from a second ahead of the clock on. Nothing is posted meanwhile,
// so that no lane decides without them. Gives the last one.
Timestamp SetBoundaries(World& world, int count, absl::Duration distance) {
  const Timestamp first = world.ClockAtMost() + Timestamp(kMicrosPerSecond);
  const int64_t step = absl::ToInt64Microseconds(distance);
  world.database().Query(
      absl::StrCat("insert into ledger.boundaries (programme_id, boundary_us) select 1, ",
                   first.value(), " + i * ", step, " from generate_series(0, ", count - 1,
                   ") as i; update ledger.configuration set version = version + 1"));
  return first + Timestamp((count - 1) * step);
}

std::vector<std::string> Seals(World& world) {
  std::vector<std::string> seals;
  for (const postgres::Row& row :
       world.database().Query("select s::text from ledger.seals s order by boundary_us, book")) {
    seals.emplace_back(row.Text(0));
  }
  return seals;
}

int64_t Count(World& world, const std::string& query) {
  return world.database().Query(query)[0].Int(0);
}

// The window of an instant: from the last boundary, or midnight (UTC), before it.
constexpr char kWindowOf[] =
    "greatest(e.posted_at_us / 86400000000 * 86400000000, coalesce((select max(boundary_us) "
    "from ledger.boundaries b where b.boundary_us <= e.posted_at_us), 0))";

void CheckWindows(World& world) {
  // Positions, and with them windows, are those of the entries' posted times.
  CHECK(
      Count(world, absl::StrCat(
                       "with moved as (select e.book, e.contract_id, ", kWindowOf,
                       " as start_us, case when e.debit_bucket = 1 then 1 else 2 end as "
                       "movement, e.points from ledger.entries e), "
                       "m as (select book, contract_id, start_us, movement, sum(points) as points "
                       "from moved group by 1, 2, 3, 4) select count(*) from m full join "
                       "ledger.positions p on p.book = m.book and p.contract_id = m.contract_id "
                       "and p.window_start_us = m.start_us and p.movement = m.movement "
                       "where p.points is distinct from m.points")) == 0);
  // A seal counts the records before its boundary.
  CHECK(Count(world,
              "select count(*) from ledger.seals s where s.last_number <> (select count(*) from "
              "ledger.journal j where j.book = s.book and j.posted_at_us < s.boundary_us)") == 0);
  // Each boundary has the seal of every book.
  CHECK(Count(world,
              "select count(*) from settlement.windows w cross join ledger.books b "
              "where not exists (select from ledger.seals s where s.book = b.book "
              "and s.boundary_us = w.window_end_us)") == 0);
}

// Goal: whenever windows end and are sealed, each record is in the window of its posted time, and
// nobody waits for it. Method: boundaries 20 ms apart, so that lanes cross them in the middle of
// batches, of which two threads seal whatever has ended. Then everything is sealed again from the
// journal, as if nobody had done so for the whole time.
TEST_CASE("Windows: 500 sealed under the load of two processes have each record where it belongs",
          "[model][ledger][inv-80]") {
  World world(/*lanes=*/2);
  const std::vector<AccountId> accounts = OpenAccounts(world, kAccounts);
  const Timestamp last = SetBoundaries(world, kWindows, kWindow);
  std::atomic<bool> ended = false;
  std::mutex mutex;
  std::string trouble;
  absl::Duration slowest_seal;
  std::vector<std::thread> sealers;
  Load load(world, accounts);
  for (int i = 0; i < 2; ++i) {
    sealers.emplace_back([&] {
      while (!ended) {
        ended = world.ClockAtLeast() > last;
        const absl::Time start = absl::Now();
        const auto sealed = ledger::SealEndedWindows(world.pool());
        const std::lock_guard lock(mutex);
        if (!sealed.ok()) trouble = sealed.status().ToString();
        slowest_seal = std::max(slowest_seal, absl::Now() - start);
      }
    });
  }
  for (std::thread& sealer : sealers) sealer.join();
  load.Stop();
  world.Stop();

  CHECK(trouble == "");
  CHECK(load.trouble() == "");
  std::cout << kWindows << " windows sealed during " << load.answered()
            << " requests; the slowest request took " << load.slowest() << ", the slowest sealing "
            << slowest_seal << "\n";
  CHECK(load.slowest() < kSlowestAllowed);
  CHECK(Count(world, "select count(*) from settlement.windows") >= kWindows);
  CheckWindows(world);
  const std::vector<std::string> on_time = Seals(world);
  world.database().Query("delete from ledger.seals; delete from settlement.windows");
  REQUIRE(ledger::SealEndedWindows(world.pool()).ok());
  CHECK(Seals(world) == on_time);
  world.Verify();
  CHECK(world.trouble() == "");
  testing::CheckInvariants(world.database());
}

TEST_CASE("Windows: the first record after a boundary leaves the book's seal, before anybody seals",
          "[model][ledger][inv-80]") {
  World world(/*lanes=*/2);
  const std::vector<AccountId> accounts = OpenAccounts(world, kBooks);
  const auto earn_in_each = [&] {
    for (size_t i = 0; i < accounts.size(); ++i) {
      Order order;
      order.request.verb = Verb::kEarn;
      order.request.partner = PartnerId(1);
      order.request.contract = IssuanceContract(PartnerId(1), 1);
      order.request.account = accounts[i];
      order.request.points = Points(10);
      order.request_id = security::RandomUuid();
      CHECK(world.Post(static_cast<int>(i) % kProcesses, order).ok());
    }
  };
  earn_in_each();
  // Three windows without a record, and one more.
  world.MoveClock(Timestamp(4 * kMicrosPerDay));
  earn_in_each();

  const std::vector<std::string> left_by_lanes = Seals(world);
  CHECK(left_by_lanes.size() == 4 * kBooks);
  world.database().Query("delete from ledger.seals");
  REQUIRE(ledger::SealEndedWindows(world.pool()).ok());
  CHECK(Seals(world) == left_by_lanes);
  world.Stop();
  CheckWindows(world);
  testing::CheckInvariants(world.database());
}

}  // namespace
}  // namespace guilder::model
