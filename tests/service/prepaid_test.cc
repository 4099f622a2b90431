// Partners that buy points in advance: blocks sold, used by purchases, refilled by returns.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/partner/v1/partner_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/clients/client.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/rpc/accrual_service.h"
#include "services/partner/rpc/partner_service.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"
#include "tests/support/invariants.h"

namespace guilder {
namespace {

namespace accrual_v1 = accrual::v1;
namespace partner_v1 = partner::v1;
using Accrual = accrual_v1::AccrualService;
using Partners = partner_v1::PartnerService;

constexpr char kFresh[] = "partners/fresh";

clients::RetryPolicy Once() {
  clients::RetryPolicy policy;
  policy.max_attempts = 1;
  return policy;
}

// A coalition whose partner `fresh` pays in advance.
struct World {
  explicit World(const std::string& when_exhausted = "REFUSE") {
    coalition.database().Query(
        absl::StrCat("update partner.contracts set funding = 'PREPAID_BLOCK', when_exhausted = '",
                     when_exhausted, "' where kind = 'ISSUANCE' and partner_id = ",
                     "(select partner_id from partner.partners where slug = 'fresh')"));
    coalition.database().Query("update ledger.configuration set version = version + 1");
    testing::ServiceNetwork& network = coalition.network();
    network.Add(accrual::MakeAccrualService({network.runtime(), network.pool(), coalition.lanes(),
                                             coalition.cards(), network.secrets()}),
                accrual::kAccrualServiceName);
    auto partners =
        partner::MakePartnerService({network.runtime(), network.pool(), network.secrets()});
    REQUIRE(partners.ok());
    network.Add(*std::move(partners), partner::kPartnerServiceName);
    network.Start();
    card = coalition.AMember();
  }

  static partner_v1::BuyPointBlockRequest ABlock(int64_t points) {
    partner_v1::BuyPointBlockRequest request;
    request.set_parent(kFresh);
    request.set_request_id(clients::NewRequestId());
    request.set_points(points);
    return request;
  }
  absl::StatusOr<partner_v1::BuyPointBlockResponse> Sell(
      const partner_v1::BuyPointBlockRequest& request,
      clients::Answered* answered = nullptr) const {
    return clients::Client<Partners>(coalition.network().AsOperator("anna"))
        .Invoke(&Partners::Stub::BuyPointBlock, request, Once(), answered);
  }
  partner_v1::Exposure Exposure(const std::string& partner) const {
    partner_v1::GetExposureRequest request;
    request.set_name("partners/" + partner);
    const auto shown = clients::Client<Partners>(coalition.AsPartner(partner))
                           .Invoke(&Partners::Stub::GetExposure, request, Once());
    if (!shown.ok()) FAIL(shown.status().ToString());
    return shown->exposure();
  }

  // A purchase of so many full euros, one line of as many pieces, which are as many points.
  absl::StatusOr<accrual_v1::RecordPurchaseResponse> Buy(const std::string& partner,
                                                         int64_t euros) {
    accrual_v1::RecordPurchaseRequest request;
    request.set_request_id(clients::NewRequestId());
    request.mutable_receipt()->set_store(absl::StrCat("partners/", partner, "/stores/s1"));
    request.mutable_receipt()->set_terminal("t1");
    request.mutable_receipt()->set_receipt_number(std::to_string(++receipts));
    request.mutable_receipt()->set_business_date("2026-03-01");
    request.set_card_number(card);
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now() - Timestamp(1'800'000'000));
    request.set_currency_code("EUR");
    accrual_v1::PurchaseLine& line = *request.add_lines();
    line.set_sku("milk");
    line.set_quantity(euros);
    line.set_amount_minor_units(euros * 100);
    return clients::Client<Accrual>(coalition.AsPartner(partner))
        .Invoke(&Accrual::Stub::RecordPurchase, request, Once());
  }
  absl::StatusOr<accrual_v1::RecordReturnResponse> Return(const std::string& purchase,
                                                          int64_t pieces) const {
    accrual_v1::RecordReturnRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/fresh/stores/s1");
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now());
    request.set_purchase(purchase);
    request.add_lines()->set_line_id("1");
    request.mutable_lines(0)->set_quantity(pieces);
    return clients::Client<Accrual>(coalition.AsPartner("fresh"))
        .Invoke(&Accrual::Stub::RecordReturn, request, Once());
  }

  mutable testing::Coalition coalition;
  std::string card;
  int receipts = 0;
};

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
        "0 points: the partner's prepaid blocks did not cover the purchase");
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

}  // namespace
}  // namespace guilder
