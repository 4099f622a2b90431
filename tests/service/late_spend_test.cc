// Payments that a till tells of late, with points that have expired meanwhile.
#include "libs/rpc/proto_time.h"
#include "tests/service/redemption_world.h"

namespace guilder::redemption {
namespace {

constexpr int64_t kDay = kMicrosPerDay;

// Tills may be two days late. The member's 100 points lived for three days, and the fourth begins.
struct LateWorld : World {
  LateWorld() {
    SetPolicy([](v1::RedemptionPolicy& policy) { policy.set_late_spend_seconds(2 * 86'400); });
    GivePoints(100, 3);
    coalition.AdvanceDays(4);
  }
  v1::AuthorizeRedemptionRequest PaidBefore(int64_t points, int64_t micros) const {
    auto request = AnAuthorization(points);
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now() - Timestamp(micros));
    return request;
  }
  int64_t Expired() const {
    return coalition.database().Query("select sum(expired)::bigint from ledger.lots")[0].Int(0);
  }
};

TEST_CASE("AuthorizeRedemption: a payment from before the expiry is honoured, swept or not",
          "[service][redemption][inv-64]") {
  for (const bool swept : {false, true}) {
    LateWorld world;
    // Any command lets what is due expire.
    if (swept) world.GivePoints(1);
    CHECK(ReasonOf(world.Authorize(world.AnAuthorization(60))) == Reason::kInsufficientPoints);
    const auto request = world.PaidBefore(60, kDay + kDay / 2);
    const auto held = world.Authorize(request);
    REQUIRE(held.ok());
    CHECK(world.Balances() == std::vector<int64_t>{0, 60});
    CHECK(world.Expired() == (swept ? 41 : 40));
    REQUIRE(world.Capture(World::ACapture(held->name())).ok());
    world.Verify();

    // The same request again, and the rest of the points.
    CHECK(world.Authorize(request)->name() == held->name());
    auto other = request;
    *other.mutable_occurred_at() = rpc::ToProto(world.coalition.Now() - Timestamp(kDay));
    CHECK(ReasonOf(world.Authorize(other)) == Reason::kRequestIdReused);
    CHECK(ReasonOf(world.Authorize(world.PaidBefore(world.Expired() + 1, kDay + kDay / 2))) ==
          Reason::kInsufficientPoints);
    const auto rest = world.Authorize(world.PaidBefore(world.Expired(), kDay + kDay / 2));
    REQUIRE(rest.ok());
    // What is not taken is gone again.
    REQUIRE(world.Void(rest->name()).ok());
    CHECK(world.Balances()[0] == 0);
    world.Verify();
  }
}

TEST_CASE("AuthorizeRedemption: a payment that is too late, or of when there was nothing, is none",
          "[service][redemption][inv-64]") {
  LateWorld world;
  const auto refused = [&](int64_t micros) {
    return ReasonOf(world.Authorize(world.PaidBefore(60, micros)));
  };
  CHECK(refused(2 * kDay + kDay / 4) == Reason::kInsufficientPoints);
  // After the expiry.
  CHECK(refused(kDay / 2) == Reason::kInsufficientPoints);
  CHECK(refused(-kDay) == Reason::kRequestMalformed);
  auto malformed = world.AnAuthorization(60);
  malformed.mutable_occurred_at()->set_seconds(-1);
  CHECK(ReasonOf(world.Authorize(malformed)) == Reason::kRequestMalformed);
  world.SetPolicy([](v1::RedemptionPolicy& policy) { policy.set_late_spend_seconds(0); });
  CHECK(refused(kDay + kDay / 2) == Reason::kInsufficientPoints);
  for (const int64_t seconds : {int64_t{-1}, int64_t{32} * 86'400, INT64_MAX}) {
    v1::UpdateRedemptionPolicyRequest request;
    request.mutable_policy()->set_version(2);
    request.mutable_policy()->set_late_spend_seconds(seconds);
    CHECK(guilder::ReasonOf(
              world.Guard(&v1::SpendingService::Stub::UpdateRedemptionPolicy, request).status()) ==
          Reason::kRequestMalformed);
  }
  CHECK(world.Balances() == std::vector<int64_t>{100, 0});
}

}  // namespace
}  // namespace guilder::redemption
