#include "services/settlement/store/lots.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/postgres/connection.h"
#include "services/settlement/store/liability.h"
#include "tests/support/catch2.h"
#include "tests/support/living_ledger.h"

namespace guilder::settlement {
namespace {

using postgres::Transaction;

std::string Positions(const testing::LivingLedger& ledger) {
  return std::string(
      ledger.database()
          .Query("select string_agg(p::text, ';' order by book, window_start_us, contract_id, "
                 "issued_window_us, expiry_month, move, issued_day_us) from "
                 "settlement.lot_positions p")[0]
          .Text(0));
}

std::vector<LiabilityLine> Roll(testing::LivingLedger& ledger, Timestamp start, Timestamp end) {
  std::vector<LiabilityLine> lines;
  const absl::Status read = ledger.pool().Read([&](Transaction& transaction) {
    lines = RollForward(ReadLotPoints(transaction, start, end));
    return absl::OkStatus();
  });
  REQUIRE(read.ok());
  return lines;
}

Points Sum(const std::vector<LiabilityLine>& lines, Points LiabilityLine::*field) {
  Points sum;
  for (const LiabilityLine& line : lines) sum += line.*field;
  return sum;
}

TEST_CASE("Liability: each window opens with what the one before closed with, tied to the ledger",
          "[store][settlement][inv-3][inv-35]") {
  testing::LivingLedger ledger;
  REQUIRE(AttributeLots(ledger.pool()).ok());

  Points closing;
  Points expired;
  Points redeemed;
  const postgres::Rows windows = ledger.database().Query(
      "select window_start_us, window_end_us from settlement.windows order by 1");
  REQUIRE(windows.size() >= 3);
  for (const postgres::Row& window : windows) {
    const std::vector<LiabilityLine> lines =
        Roll(ledger, window.Id<Timestamp>(0), window.Id<Timestamp>(1));
    CHECK(Sum(lines, &LiabilityLine::opening) == closing);
    for (const LiabilityLine& line : lines) {
      CHECK(line.opening + line.issued - line.reversed - line.redeemed - line.expired +
                line.adjusted ==
            line.closing);
    }
    closing = Sum(lines, &LiabilityLine::closing);
    expired += Sum(lines, &LiabilityLine::expired);
    redeemed += Sum(lines, &LiabilityLine::redeemed);
    Points outstanding;
    REQUIRE(ledger.pool()
                .Read([&](Transaction& transaction) {
                  outstanding = ReadOutstanding(transaction, window.Id<Timestamp>(1));
                  return absl::OkStatus();
                })
                .ok());
    CHECK(closing == outstanding);
  }
  CHECK(closing > Points());
  CHECK(redeemed > Points());
  CHECK(expired > Points());
}

// A window of the living ledger is a day or longer: what it says by day must come to what it says
// by window, and each day must be in its window.
TEST_CASE("Liability: days come to windows, and lots are of the day on which they were issued",
          "[store][settlement][inv-35]") {
  testing::LivingLedger ledger;
  REQUIRE(AttributeLots(ledger.pool()).ok());
  const auto count = [&](const std::string& query) {
    return ledger.database().Query("select count(*) from (" + query + ") q")[0].Int(0);
  };

  CHECK(count("select from settlement.daily_points where issued > 0") > 0);
  CHECK(
      count(
          "select window_start_us, movement from (select window_start_us, 1 as movement, issued as "
          "points from settlement.daily_points union all select window_start_us, 5, redeemed from "
          "settlement.daily_points union all select p.window_start_us, p.movement, -p.points from "
          "ledger.positions p join settlement.windows w using (window_start_us) where p.movement "
          "in (1, 5)) d group by 1, 2 having sum(points) <> 0") == 0);
  // What the day's first record says, and the entries themselves.
  CHECK(
      count("select from settlement.lot_positions p where issued_day_us = 0 or not exists (select "
            "from settlement.windows w where w.window_start_us = p.issued_window_us and "
            "p.issued_day_us < w.window_end_us and p.issued_day_us > w.window_start_us - "
            "86400000000)") == 0);
  CHECK(count("select day_us, sum(points) from (select day_us, issued as points from "
              "settlement.daily_points union all select issued_day_us, -points from "
              "settlement.lot_positions where move = 1) d group by 1 having sum(points) <> 0") ==
        0);
}

TEST_CASE("Liability: however lots are looked at, by whom and how often, it comes to the same",
          "[store][settlement][inv-80]") {
  testing::LivingLedger ledger;
  REQUIRE(AttributeLots(ledger.pool()).ok());
  const std::string once = Positions(ledger);
  CHECK_FALSE(once.empty());
  REQUIRE(AttributeLots(ledger.pool()).ok());
  CHECK(Positions(ledger) == once);
  ledger.database().Query(
      "truncate settlement.lot_positions, settlement.lot_progress, settlement.book_days, "
      "settlement.daily_points");

  std::vector<absl::Status> statuses(4);
  std::vector<std::thread> threads;
  for (absl::Status& status : statuses) {
    threads.emplace_back([&] {
      postgres::Pool pool(ledger.database().dsn(), 1);
      status = AttributeLots(pool);
    });
  }
  for (std::thread& thread : threads) thread.join();

  for (const absl::Status& status : statuses) CHECK(status.ok());
  CHECK(Positions(ledger) == once);
}

}  // namespace
}  // namespace guilder::settlement
