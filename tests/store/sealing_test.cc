#include "libs/ledger/store/sealing.h"

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/postgres/pool.h"
#include "tests/support/catch2.h"
#include "tests/support/database.h"
#include "tests/support/posted_ledger.h"

namespace guilder::ledger {
namespace {

using testing::PostedLedger;
using testing::TestDatabase;

// 2026-01-01T00:00:00Z.
constexpr Timestamp kStart{1'767'225'600 * kMicrosPerSecond};

Timestamp Hour(double hours) {
  return kStart + Timestamp(static_cast<int64_t>(hours * 3'600) * kMicrosPerSecond);
}

template <typename T>
T Must(absl::StatusOr<T> answer) {
  INFO(answer.status().ToString());
  REQUIRE(answer.ok());
  return *std::move(answer);
}

// Everything that sealing wrote about books, as text.
std::vector<std::string> Seals(const TestDatabase& db) {
  std::vector<std::string> seals;
  for (const postgres::Row& row : db.Query("select concat_ws(' ', book, boundary_us, last_number, "
                                           "encode(root, 'hex'), encode(frontier, 'hex')) "
                                           "from ledger.seals order by boundary_us, book")) {
    seals.emplace_back(row.Text(0));
  }
  return seals;
}

std::vector<int64_t> Windows(const TestDatabase& db) {
  std::vector<int64_t> starts;
  for (const postgres::Row& row :
       db.Query("select window_start_us from settlement.windows order by window_start_us")) {
    starts.push_back(row.Int(0));
  }
  return starts;
}

// Records of three days in two books; one of them falls on a boundary, and book 2 has a day
// without.
void AppendDay(PostedLedger& ledger, int day) {
  const double hours = 24.0 * day;
  ledger.Append(1, Hour(hours));
  for (int i = 1; i < 9; ++i) ledger.Append(1, Hour(hours + i));
  if (day != 1) {
    for (int i = 1; i < 6; ++i) ledger.Append(2, Hour(hours + 4 * i));
  }
}

struct Network {
  explicit Network(Timestamp now)
      : ledger(db, {.started_at = Hour(3), .now = now}), pool(db.dsn(), 4) {}
  TestDatabase db;
  PostedLedger ledger;
  postgres::Pool pool;
};

// Each day sealed as soon as it is over.
std::vector<std::string> SealsOnTime() {
  Network network(Hour(1));
  for (int day = 0; day < 3; ++day) {
    AppendDay(network.ledger, day);
    network.ledger.MoveClockTo(Hour(24.0 * day + 24));
    Must(SealEndedWindows(network.pool));
  }
  return Seals(network.db);
}

TEST_CASE("Sealing: nothing can be posted before the boundary any more",
          "[store][ledger][inv-80]") {
  Network network(Hour(25));
  AppendDay(network.ledger, 0);

  const std::vector<Window> sealed = Must(SealEndedWindows(network.pool));

  CHECK(sealed == std::vector<Window>{{kStart, Hour(24)}});
  const postgres::Rows books =
      network.db.Query("select last_posted_at_us, last_number from ledger.books order by book");
  CHECK(books[0].Id<Timestamp>(0) == Hour(24));
  CHECK(books[0].Int(1) == 9);
  CHECK(books[1].Id<Timestamp>(0) == Hour(24));
  CHECK(Seals(network.db).size() == 2);
}

TEST_CASE("Sealing: days late gives the same bytes as on time", "[store][ledger][inv-80]") {
  Network network(Hour(1));
  for (int day = 0; day < 3; ++day) AppendDay(network.ledger, day);
  network.ledger.Append(1, Hour(75));
  network.ledger.MoveClockTo(Hour(77));

  const std::vector<Window> sealed = Must(SealEndedWindows(network.pool));

  CHECK(sealed.size() == 3);
  CHECK(Seals(network.db) == SealsOnTime());
}

TEST_CASE("Sealing: a late seal goes on from the seal before it", "[store][ledger][inv-80]") {
  Network network(Hour(1));
  AppendDay(network.ledger, 0);
  network.ledger.MoveClockTo(Hour(24));
  Must(SealEndedWindows(network.pool));
  AppendDay(network.ledger, 1);
  AppendDay(network.ledger, 2);
  network.ledger.MoveClockTo(Hour(72));

  Must(SealWindows(network.pool, Hour(48)));
  CHECK(Windows(network.db).size() == 2);
  Must(SealEndedWindows(network.pool));

  CHECK(Seals(network.db) == SealsOnTime());
}

TEST_CASE("Sealing: repeated, it changes nothing", "[store][ledger][inv-80]") {
  Network network(Hour(25));
  AppendDay(network.ledger, 0);
  Must(SealEndedWindows(network.pool));
  const std::vector<std::string> before = Seals(network.db);

  const std::vector<Window> again = Must(SealEndedWindows(network.pool));

  CHECK(again.empty());
  CHECK(Seals(network.db) == before);
}

// Goal: several processes seal the same windows while records are posted; the bytes are those of
// one that sealed alone. Method: threads only collect statuses.
TEST_CASE("Sealing: at once by several gives the same bytes", "[store][ledger][inv-80]") {
  Network network(Hour(1));
  AppendDay(network.ledger, 0);
  AppendDay(network.ledger, 1);
  network.ledger.MoveClockTo(Hour(72));

  std::vector<absl::Status> statuses(4);
  std::vector<std::thread> threads;
  for (absl::Status& status : statuses) {
    threads.emplace_back([&] { status = SealWindows(network.pool, Hour(48)).status(); });
  }
  AppendDay(network.ledger, 2);
  for (std::thread& thread : threads) thread.join();
  Must(SealEndedWindows(network.pool));

  for (const absl::Status& status : statuses) CHECK(status.ok());
  CHECK(Seals(network.db) == SealsOnTime());
  CHECK(Windows(network.db).size() == 3);
}

TEST_CASE("Sealing: a window that is not over is refused", "[store][ledger]") {
  Network network(Hour(20));

  const absl::StatusOr<std::vector<Window>> sealed = SealWindows(network.pool, Hour(24));

  CHECK(ReasonOf(sealed.status()) == Reason::kWindowNotOver);
  CHECK(Windows(network.db).empty());
}

TEST_CASE("Sealing: on demand ends the open window two to three seconds ahead", "[store][ledger]") {
  Network network(Hour(30));
  AppendDay(network.ledger, 0);

  const Window closed = Must(CloseOpenWindow(network.pool, absl::Now() + absl::Seconds(20)));

  CHECK(closed.start == Hour(24));
  CHECK(closed.end >= Hour(30) + Timestamp(2 * kMicrosPerSecond));
  CHECK(closed.end < Hour(30) + Timestamp(5 * kMicrosPerSecond));
  CHECK(closed.end.value() % kMicrosPerSecond == 0);
  CHECK(Windows(network.db) == std::vector<int64_t>{kStart.value(), Hour(24).value()});
  CHECK(network.db.Query("select version from ledger.configuration")[0].Int(0) == 2);
}

TEST_CASE("Sealing: a caller that cannot wait for the boundary is told so", "[store][ledger]") {
  Network network(Hour(30));

  const absl::StatusOr<Window> closed = CloseOpenWindow(network.pool, absl::Now());

  CHECK(ReasonOf(closed.status()) == Reason::kWindowNotOver);
}

// Calls `meanwhile` while a boundary on demand is about to be set: its transaction has read the
// clock, and waits.
template <typename Meanwhile>
void WhileABoundaryIsBeingSet(Network& network, Meanwhile meanwhile) {
  std::thread closing;
  const absl::Status held = network.pool.Run([&](postgres::Transaction& transaction) {
    transaction.Script("lock table ledger.boundaries in share row exclusive mode");
    closing = std::thread([&] { (void)CloseOpenWindow(network.pool, absl::Now()); });
    while (network.db
               .Query("select from pg_locks where not granted "
                      "and relation = 'ledger.boundaries'::regclass")
               .empty()) {
    }
    meanwhile();
    return absl::OkStatus();
  });
  closing.join();
  REQUIRE(held.ok());
  CHECK(network.db.Query("select from ledger.boundaries").size() == 1);
}

// Goal: no record is posted after a boundary by a lane that does not know it yet, which a step of
// the clock would do between the reading of the clock and the commit of the boundary.
TEST_CASE("Sealing: the clock does not move while a boundary is being set",
          "[store][ledger][inv-80]") {
  Network network(Hour(30));
  absl::Status moved;
  WhileABoundaryIsBeingSet(network, [&] {
    moved = network.pool.Run([&](postgres::Transaction& move) {
      move.Script(
          "set local lock_timeout = '200ms'; "
          "update ledger.books set clock_offset_us = clock_offset_us + 86400000000");
      return absl::OkStatus();
    });
  });
  CHECK(postgres::SqlStateOf(moved) == "55P03");
}

// Goal: the same, where time itself passes the boundary because its commit is slow. Method: a lane
// needs the lock of a book to decide.
TEST_CASE("Sealing: no book can be posted to while a boundary is being set",
          "[store][ledger][inv-80]") {
  Network network(Hour(30));
  size_t free_books = 0;
  WhileABoundaryIsBeingSet(network, [&] {
    free_books = network.db.Query("select from ledger.books for no key update skip locked").size();
  });
  CHECK(free_books == 0);
  CHECK(network.db.Query("select from ledger.books for no key update skip locked").size() == 2);
}

}  // namespace
}  // namespace guilder::ledger
