// What a partner may owe, kept by escrow: no number of tills passes it, and what gives credit back
// gives points back.
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"

#include "tests/service/prepaid_world.h"
#include "tests/support/invariants.h"

namespace guilder::prepaid {
namespace {

// The partner `books` pays afterwards. A point costs it a cent.
struct CreditWorld : World {
  explicit CreditWorld(int books = 2) : World("REFUSE", books) {}

  // Whoever raises a limit needs a second person, so tests begin with the highest.
  void Set(int64_t credit_limit, int64_t net_debit_cap = 0, int64_t collateral = 0) {
    partner_v1::UpdateExposurePolicyRequest request;
    request.set_name("partners/books");
    request.mutable_policy()->set_credit_limit_minor_units(credit_limit);
    request.mutable_policy()->set_net_debit_cap_minor_units(net_debit_cap);
    request.mutable_policy()->set_collateral_minor_units(collateral);
    const auto set = clients::Client<Partners>(coalition.network().AsOperator("anna"))
                         .Invoke(&Partners::Stub::UpdateExposurePolicy, request, Once());
    if (!set.ok()) FAIL(set.status().ToString());
  }
  partner_v1::Exposure Books() { return Exposure("books"); }
  // What a purchase of so many euros gives.
  int64_t Points(int64_t euros) {
    const auto bought = Buy("books", euros);
    if (!bought.ok()) FAIL(bought.status().ToString());
    CHECK(bought->point_block_exhausted() == (bought->points() == 0));
    return bought->points();
  }
  // Facts from outside of the books are seen within a second or two.
  void WaitForCredit(int64_t points) {
    const absl::Time give_up_at = absl::Now() + absl::Seconds(20);
    while (Books().credit_points() != points && absl::Now() < give_up_at) {
      std::this_thread::yield();
    }
    CHECK(Books().credit_points() == points);
  }
};

// What one caller got: random purchases until a single point is not given any more; -1 after an
// error.
int64_t BuyAll(CreditWorld& world, const std::string& card, uint32_t seed) {
  std::mt19937 random(seed);
  const clients::Client<Accrual> till(world.coalition.AsPartner("books"));
  int64_t got = 0;
  int64_t most = 40;
  while (most >= 1) {
    const int64_t euros = 1 + static_cast<int64_t>(random()) % most;
    const auto bought = world.BuyWith(card, till, "books", euros);
    if (!bought.ok()) {
      if (ReasonOf(bought.status()) == Reason::kQueueFull) continue;
      return -1;
    }
    // The whole basket or nothing.
    if (bought->points() != 0 && bought->points() != euros) return -1;
    got += bought->points();
    if (bought->points() == 0) most = euros - 1;
  }
  return got;
}

TEST_CASE("Credit: 64 tills over 16 books use a limit to the last point, and none beyond it",
          "[service][partner][accrual][inv-26][inv-27][inv-87]") {
  constexpr int kTills = 64;
  constexpr int64_t kLimit = 12'000;
  const uint32_t seed = std::random_device{}();
  INFO("seed " << seed);
  CreditWorld world(16);
  std::vector<std::string> cards;
  for (int i = 0; i < kTills; ++i) cards.push_back(world.coalition.AMember());
  world.Set(kLimit);

  std::vector<int64_t> got(kTills);
  {
    std::vector<std::jthread> tills;
    for (uint32_t i = 0; i < kTills; ++i) {
      tills.emplace_back([&, i] { got[i] = BuyAll(world, cards[i], seed + i); });
    }
  }

  int64_t sum = 0;
  for (const int64_t points : got) {
    CHECK(points >= 0);
    sum += points;
  }
  CHECK(sum == kLimit);
  const partner_v1::Exposure exposure = world.Books();
  CHECK(exposure.exposure().minor_units() == kLimit);
  CHECK(exposure.credit_points() == 0);
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("Credit: what comes back can be given again", "[service][partner][accrual][inv-87]") {
  CreditWorld world;
  world.Set(100);
  const auto bought = world.Buy("books", 100);
  REQUIRE(bought.ok());
  CHECK(bought->points() == 100);
  CHECK(world.Points(1) == 0);

  REQUIRE(world.Return(bought->name(), 30, "books").ok());

  CHECK(world.Books().credit_points() == 30);
  // The stage of who used all of it ends within a second or two.
  const absl::Time give_up_at = absl::Now() + absl::Seconds(20);
  int64_t again = 0;
  while (again == 0 && absl::Now() < give_up_at) again = world.Points(30);
  CHECK(again == 30);
  CHECK(world.Books().credit_points() == 0);
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("Credit: a limit may begin, fall below what was used, and end",
          "[service][partner][accrual][inv-87]") {
  CreditWorld world;
  CHECK(world.Points(50) == 50);
  CHECK_FALSE(world.Books().has_credit_points());
  // What was issued before it began counts.
  world.Set(80);
  CHECK(world.Books().credit_points() == 30);
  CHECK(world.Points(31) == 0);
  CHECK(world.Points(10) == 10);
  world.Set(40);
  CHECK(world.Books().credit_points() == 0);
  testing::CheckInvariants(world.coalition.database());

  // It may owe any amount again, after a second person agreed; here the row says so.
  world.coalition.database().Query("update partner.exposure_policies set credit_limit = 0");
  const absl::Time give_up_at = absl::Now() + absl::Seconds(20);
  while (world.Books().has_credit_points() && absl::Now() < give_up_at) {
    std::this_thread::yield();
  }
  int64_t given = 0;
  while (given == 0 && absl::Now() < give_up_at) {
    const auto bought = world.Buy("books", 500);
    if (bought.ok()) given = bought->points();
  }
  CHECK(given == 500);
  CHECK(world.coalition.database().Query("select 1 from ledger.limits").empty());
  CHECK(world.coalition.database().Query("select 1 from ledger.allowances").empty());
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("Credit: of limit and cap the one that leaves less stops the points, and neither others",
          "[service][partner][accrual][inv-87]") {
  CreditWorld world;
  world.Set(500, 60);
  CHECK(world.Books().credit_points() == 60);
  CHECK(world.Points(61) == 0);
  CHECK(world.Points(60) == 60);
  CHECK(world.Points(1) == 0);
  // Its blocks are another partner's.
  REQUIRE(world.Sell(World::ABlock(10)).ok());
  CHECK(world.Buy("fresh", 10)->points() == 10);
  world.coalition.database().Query("update partner.exposure_policies set net_debit_cap = 75");
  world.WaitForCredit(15);
  testing::CheckInvariants(world.coalition.database());
}

}  // namespace
}  // namespace guilder::prepaid
