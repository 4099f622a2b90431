// Partners that buy points in advance: blocks sold, used by purchases, refilled by returns, ended.
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"

#include "tests/service/prepaid_world.h"
#include "tests/support/invariants.h"

namespace guilder::prepaid {
namespace {

TEST_CASE("Prepaid: purchases use a block until it does not cover one, and others go on",
          "[service][partner][accrual][inv-85]") {
  World world;
  CHECK(ReasonOf(world.Buy("fresh", 1).status()) == Reason::kPointBlockExhausted);
  REQUIRE(world.Sell(World::ABlock(100)).ok());
  CHECK(world.Buy("fresh", 60)->points() == 60);

  const auto refused = world.Buy("fresh", 41);

  CHECK(ReasonOf(refused.status()) == Reason::kPointBlockExhausted);
  CHECK(DetailsOf(refused.status())["remaining_points"] == "40");
  CHECK(world.Buy("books", 41)->points() == 41);
  CHECK(world.Buy("fresh", 40)->points() == 40);
  CHECK(world.Exposure("fresh").remaining_points() == 0);
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("Prepaid: a contract may say that a purchase is then recorded without points",
          "[service][partner][accrual][inv-85][inv-87]") {
  World world("ISSUE_NOTHING");
  REQUIRE(world.Sell(World::ABlock(10)).ok());

  const auto covered = world.Buy("fresh", 10);
  const auto not_covered = world.Buy("fresh", 5);

  REQUIRE(covered.ok());
  CHECK(covered->points() == 10);
  CHECK_FALSE(covered->point_block_exhausted());
  REQUIRE(not_covered.ok());
  CHECK(not_covered->points() == 0);
  CHECK(not_covered->line_points(0) == 0);
  CHECK(not_covered->point_block_exhausted());
  CHECK_FALSE(not_covered->has_activates_at());
  // Its return finds the sale, and nothing to take back.
  CHECK(world.Return(not_covered->name(), 5)->points_reversed() == 0);

  accrual_v1::ExplainPurchaseRequest request;
  request.set_name(not_covered->name());
  const auto explained = clients::Client<Accrual>(world.coalition.AsPartner("fresh"))
                             .Invoke(&Accrual::Stub::ExplainPurchase, request, Once());
  REQUIRE(explained.ok());
  CHECK(explained->lines(0).text() ==
        "0 points: the partner's prepaid blocks, or its credit, did not cover it");
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("Prepaid: a return refills the block", "[service][partner][accrual][inv-85]") {
  World world;
  REQUIRE(world.Sell(World::ABlock(50)).ok());
  const auto bought = world.Buy("fresh", 50);
  REQUIRE(bought.ok());
  CHECK(ReasonOf(world.Buy("fresh", 20).status()) == Reason::kPointBlockExhausted);

  REQUIRE(world.Return(bought->name(), 20).ok());

  CHECK(world.Exposure("fresh").remaining_points() == 20);
  CHECK(world.Buy("fresh", 20).ok());
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("BuyPointBlock: a repeat gets the first answer and sells nothing more",
          "[service][partner][inv-11]") {
  World world;
  const auto request = World::ABlock(70);
  clients::Answered first;
  clients::Answered second;

  const auto once = world.Sell(request, &first);
  REQUIRE(world.Buy("fresh", 30).ok());
  const auto twice = world.Sell(request, &second);

  REQUIRE(once.ok());
  REQUIRE(twice.ok());
  CHECK(once->SerializeAsString() == twice->SerializeAsString());
  CHECK_FALSE(first.replayed);
  CHECK(second.replayed);
  CHECK(once->point_block().name() == "partners/fresh/pointBlocks/1");
  CHECK(once->point_block().sold_by() == "anna");
  CHECK(world.Exposure("fresh").bought_points() == 70);
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("GetExposure: blocks are used in the order in which they were bought",
          "[service][partner][inv-86]") {
  World world;
  for (const int64_t points : {100, 50, 30}) REQUIRE(world.Sell(World::ABlock(points)).ok());
  REQUIRE(world.Buy("fresh", 120).ok());

  const partner_v1::Exposure exposure = world.Exposure("fresh");

  CHECK(exposure.partner() == kFresh);
  CHECK(exposure.bought_points() == 180);
  CHECK(exposure.remaining_points() == 60);
  // The blocks are billed by the next settlement, and not what was issued of them.
  CHECK(exposure.unbilled_points() == 180);
  CHECK(exposure.unbilled_issuance().minor_units() == 180);
  REQUIRE(exposure.point_blocks_size() == 3);
  CHECK(exposure.point_blocks(0).point_block().contract().starts_with("partners/fresh/contracts/"));
  const std::vector<int64_t> expected = {30, 30, 0};
  for (int i = 0; i < 3; ++i) {
    CHECK(exposure.point_blocks(i).point_block().name() ==
          absl::StrCat("partners/fresh/pointBlocks/", 3 - i));
    CHECK(exposure.point_blocks(i).remaining_points() == expected[static_cast<size_t>(i)]);
  }
}

TEST_CASE("GetExposure: what a postpaid partner issued is not billed yet", "[service][partner]") {
  World world;
  REQUIRE(world.Buy("books", 250).ok());

  const partner_v1::Exposure exposure = world.Exposure("books");

  CHECK(exposure.unbilled_points() == 250);
  CHECK(exposure.unbilled_issuance().minor_units() == 250);
  CHECK(exposure.unbilled_issuance().currency_code() == "EUR");
  CHECK(exposure.bought_points() == 0);
  CHECK(exposure.point_blocks_size() == 0);
}

constexpr int64_t kDayUs = 86'400'000'000;

partner_v1::BuyPointBlockRequest Ending(World& world, int64_t points, int days,
                                        partner_v1::BlockEnding ending) {
  auto request = World::ABlock(points);
  *request.mutable_end_time() = rpc::ToProto(world.coalition.Now() + Timestamp(days * kDayUs));
  request.set_when_ended(ending);
  return request;
}

// The service ends blocks by itself, within a second or two.
partner_v1::Exposure WaitUntilLeft(const World& world, int64_t points) {
  const absl::Time give_up_at = absl::Now() + absl::Seconds(20);
  partner_v1::Exposure exposure = world.Exposure("fresh");
  while (exposure.remaining_points() != points && absl::Now() < give_up_at) {
    std::this_thread::yield();
    exposure = world.Exposure("fresh");
  }
  CHECK(exposure.remaining_points() == points);
  return exposure;
}

TEST_CASE(
    "Prepaid: what is unused of a block ends with it, and its money goes where it was declared",
    "[service][partner][inv-86]") {
  World world;
  REQUIRE(world.Sell(Ending(world, 100, 30, partner_v1::BLOCK_ENDING_CREDIT)).ok());
  REQUIRE(world.Sell(Ending(world, 50, 30, partner_v1::BLOCK_ENDING_FORFEIT)).ok());
  REQUIRE(world.Sell(World::ABlock(10)).ok());
  const auto bought = world.Buy("fresh", 60);
  REQUIRE(bought.ok());
  CHECK(world.Exposure("fresh").unbilled_points() == 160);

  world.coalition.network().MoveClock(31 * kDayUs);

  const partner_v1::Exposure ended = WaitUntilLeft(world, 10);
  REQUIRE(ended.point_blocks_size() == 3);
  CHECK(ended.point_blocks(2).ended_points() == 40);
  CHECK(ended.point_blocks(1).ended_points() == 50);
  // 40 of 160 are to be credited, 50 are kept.
  CHECK(ended.unbilled_points() == 120);
  CHECK(ReasonOf(world.Buy("fresh", 11).status()) == Reason::kPointBlockExhausted);

  // What comes back of it goes the same way: open blocks cannot hold it.
  REQUIRE(world.Return(bought->name(), 20).ok());
  CHECK(WaitUntilLeft(world, 10).unbilled_points() == 100);
  CHECK(world.Buy("fresh", 10).ok());
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("Prepaid: a reserve is used last, and people are told", "[service][partner][inv-85]") {
  World world;
  auto reserve = World::ABlock(30);
  reserve.set_reserve(true);
  REQUIRE(world.Sell(reserve).ok());
  REQUIRE(world.Sell(World::ABlock(100)).ok());
  REQUIRE(world.Buy("fresh", 100).ok());
  CHECK(world.Exposure("fresh").reserve_points() == 30);

  REQUIRE(world.Buy("fresh", 10).ok());

  CHECK(world.Exposure("fresh").reserve_points() == 20);
  const absl::Time give_up_at = absl::Now() + absl::Seconds(20);
  const auto told = [&] {
    return world.coalition.database()
        .Query("select count(*) from operator.audit_log where action = 'PointBlockReserveBegun'")[0]
        .Int(0);
  };
  while (told() == 0 && absl::Now() < give_up_at) std::this_thread::yield();
  CHECK(told() == 1);
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("BuyPointBlock: an end is in the future, and says what becomes of the rest",
          "[service][partner]") {
  World world;
  auto request = Ending(world, 5, -1, partner_v1::BLOCK_ENDING_CREDIT);
  CHECK(ReasonOf(world.Sell(request).status()) == Reason::kRequestMalformed);
  request = Ending(world, 5, 1, partner_v1::BLOCK_ENDING_UNSPECIFIED);
  CHECK(ReasonOf(world.Sell(request).status()) == Reason::kRequestMalformed);
  request = World::ABlock(5);
  request.set_when_ended(partner_v1::BLOCK_ENDING_FORFEIT);
  CHECK(ReasonOf(world.Sell(request).status()) == Reason::kRequestMalformed);
  request.set_when_ended(static_cast<partner_v1::BlockEnding>(9));
  CHECK(ReasonOf(world.Sell(request).status()) == Reason::kRequestMalformed);
  CHECK(world.Exposure("fresh").bought_points() == 0);
}

}  // namespace
}  // namespace guilder::prepaid
