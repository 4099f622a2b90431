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
                 "issued_window_us, expiry_month, move) from settlement.lot_positions p")[0]
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

TEST_CASE("Liability: however lots are looked at, by whom and how often, it comes to the same",
          "[store][settlement][inv-80]") {
  testing::LivingLedger ledger;
  REQUIRE(AttributeLots(ledger.pool()).ok());
  const std::string once = Positions(ledger);
  CHECK_FALSE(once.empty());
  REQUIRE(AttributeLots(ledger.pool()).ok());
  CHECK(Positions(ledger) == once);
  ledger.database().Query("truncate settlement.lot_positions, settlement.lot_progress");

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
