// How much a partner owes, what that leaves it, and what restores it.
#include <thread>

#include "absl/time/clock.h"

#include "tests/service/life_world.h"
#include "tests/support/invariants.h"

namespace guilder::access {
namespace {

using partner::v1::EXPOSURE_STAGE_NO_BONUS;
using partner::v1::EXPOSURE_STAGE_NO_ISSUANCE;
using partner::v1::EXPOSURE_STAGE_NORMAL;
using partner::v1::EXPOSURE_STAGE_REDEMPTION_ONLY;
using partner::v1::EXPOSURE_STAGE_WARN;

struct Owing : Life {
  partner::v1::Exposure Exposure() {
    partner::v1::GetExposureRequest request;
    request.set_name("partners/fresh");
    const auto shown = Ask<Partners>("auditor", &Partners::Stub::GetExposure, request);
    if (!shown.ok()) FAIL(shown.status().ToString());
    return shown->exposure();
  }
  partner::v1::ExposureStage SetLimit(int64_t credit_limit, int64_t collateral = 0) {
    partner::v1::UpdateExposurePolicyRequest request;
    request.set_name("partners/fresh");
    request.mutable_policy()->set_credit_limit_minor_units(credit_limit);
    request.mutable_policy()->set_collateral_minor_units(collateral);
    auto set = Ask<Partners>("anna", &Partners::Stub::UpdateExposurePolicy, request);
    if (ReasonOf(set.status()) == Reason::kApprovalRequired) {
      Approve(request);
      set = Ask<Partners>("anna", &Partners::Stub::UpdateExposurePolicy, request);
    }
    if (!set.ok()) FAIL(set.status().ToString());
    return Exposure().stage();
  }
  // anna asks, bert approves.
  void Approve(const google::protobuf::Message& request) {
    operator_::v1::RequestApprovalRequest ask;
    ask.mutable_request()->PackFrom(request);
    const auto asked = Ask<Operators>("anna", &Operators::Stub::RequestApproval, ask);
    REQUIRE(asked.ok());
    operator_::v1::ApproveRequest approve;
    approve.set_name(asked->approval().name());
    approve.set_etag(asked->approval().etag());
    REQUIRE(Ask<Operators>("bert", &Operators::Stub::Approve, approve).ok());
  }
  // What a purchase earned; fails the test when it is refused.
  int64_t PointsOfPurchase() {
    SetFact("now", absl::StrCat(coalition().Now().value() / 1'000'000));
    const AnyAnswer answer = Do(
        fresh, "accrual.v1.AccrualService.RecordPurchase",
        "request_id:'<uuid>' receipt{store:'partners/fresh/stores/s1' order_id:'<uuid>'} <sale>");
    if (!answer.status.ok()) FAIL(answer.status.ToString());
    accrual::v1::RecordPurchaseResponse response;
    response.ParseFromString(answer.bytes);
    return response.points();
  }
};

TEST_CASE("Exposure: is what is not billed and not paid, less collateral and what is owed",
          "[service][partner]") {
  Owing owing;
  owing.SetLimit(0, 50);
  CHECK(owing.PointsOfPurchase() == 200);

  const partner::v1::Exposure exposure = owing.Exposure();

  // 200 points at 0.01 EUR; and the invoice of those before, with 19 % tax, or what is left of it
  // after netting.
  CHECK(exposure.unbilled_issuance().minor_units() == 200);
  CHECK(exposure.unpaid_invoices().minor_units() > 0);
  CHECK(exposure.exposure().minor_units() == exposure.unbilled_issuance().minor_units() +
                                                 exposure.unpaid_invoices().minor_units() +
                                                 exposure.outstanding_issuance().minor_units() -
                                                 50 - exposure.owed_to_partner().minor_units());
  CHECK(exposure.stage() == EXPOSURE_STAGE_NORMAL);
  testing::CheckInvariants(owing.coalition().database());
}

TEST_CASE("Exposure: degrades a partner in stages, each an event, and a payment restores it",
          "[service][partner][inv-87]") {
  Owing owing;
  // So much that every stage has room for a purchase.
  while (owing.Exposure().exposure().minor_units() < 4'000) {
    REQUIRE(owing.PointsOfPurchase() == 200);
  }
  const int64_t owed = owing.Exposure().exposure().minor_units();

  CHECK(owing.SetLimit(2 * owed) == EXPOSURE_STAGE_NORMAL);
  CHECK(owing.PointsOfPurchase() == 200);
  const int64_t now_owed = owing.Exposure().exposure().minor_units();
  CHECK(owing.SetLimit(now_owed + now_owed / 6) == EXPOSURE_STAGE_WARN);
  CHECK(owing.PointsOfPurchase() == 200);
  const int64_t later_owed = owing.Exposure().exposure().minor_units();
  CHECK(owing.SetLimit(later_owed + later_owed / 20) == EXPOSURE_STAGE_NO_BONUS);
  CHECK(owing.PointsOfPurchase() == 200);
  const int64_t then_owed = owing.Exposure().exposure().minor_units();
  CHECK(owing.SetLimit(then_owed) == EXPOSURE_STAGE_NO_ISSUANCE);
  CHECK(owing.PointsOfPurchase() == 0);
  CHECK(owing.SetLimit(then_owed / 2) == EXPOSURE_STAGE_REDEMPTION_ONLY);
  CHECK(owing.Buy() == Reason::kExposureExceeded);
  CHECK_FALSE(owing.TakePoints(owing.fresh, "fresh"));
  CHECK_FALSE(owing.Return());

  operator_::v1::ListAuditRecordsRequest events;
  events.set_actor("services/guilder-partner");
  const auto listed = owing.Ask<Operators>("auditor", &Operators::Stub::ListAuditRecords, events);
  REQUIRE(listed.ok());
  CHECK(listed->records_size() == 4);
  CHECK(listed->records(0).after() == "WARN");
  testing::CheckInvariants(owing.coalition().database());

  // The bank says that the invoice was paid. Nobody has to ask for what follows.
  const partner::v1::Exposure unpaid = owing.Exposure();
  const int64_t invoiced = unpaid.unpaid_invoices().minor_units();
  REQUIRE(invoiced > 205);
  owing.SetLimit(unpaid.exposure().minor_units() - invoiced + 205);
  CHECK(owing.Exposure().stage() == EXPOSURE_STAGE_NO_ISSUANCE);
  owing.Query("update settlement.obligations set state = 'PAID', paid = amount");
  const absl::Time give_up_at = absl::Now() + absl::Seconds(20);
  while (owing.Exposure().stage() != EXPOSURE_STAGE_NO_BONUS && absl::Now() < give_up_at) {
    std::this_thread::yield();
  }
  CHECK(owing.PointsOfPurchase() == 200);
  testing::CheckInvariants(owing.coalition().database());
}

TEST_CASE("Exposure: what books may still issue is what the figures leave, over settlements",
          "[service][partner][inv-87]") {
  Owing owing;
  const partner::v1::Exposure before = owing.Exposure();
  const int64_t owed = before.exposure().minor_units();
  REQUIRE(before.unpaid_invoices().minor_units() > 0);

  // A point costs a cent.
  const auto left_of = [&](int64_t limit) {
    const partner::v1::Exposure now = owing.Exposure();
    // Figures are rounded to cents; what is kept is exact.
    const int64_t off = limit - now.exposure().minor_units() - now.credit_points();
    CHECK(off >= 0);
    return off <= 1 ? now.credit_points() : -1;
  };
  owing.SetLimit(owed + 1'000);
  CHECK(left_of(owed + 1'000) >= 999);
  CHECK(owing.PointsOfPurchase() == 200);
  CHECK(left_of(owed + 1'000) >= 799);
  CHECK(owing.Exposure().exposure().minor_units() == owed + 200);
  owing.SetLimit(owed + 900, 50);
  CHECK(left_of(owed + 900) >= 749);

  // Redeemed points are owed to the partner, invoices are paid: the escrow follows.
  CHECK_FALSE(owing.TakePoints(owing.fresh, "fresh"));
  owing.Query("update settlement.obligations set state = 'PAID', paid = amount");
  const absl::Time give_up_at = absl::Now() + absl::Seconds(20);
  const auto follows = [&] {
    const partner::v1::Exposure now = owing.Exposure();
    const int64_t off = owed + 900 - now.exposure().minor_units() - now.credit_points();
    return now.unpaid_invoices().minor_units() == 0 && off >= 0 && off <= 1;
  };
  while (!follows() && absl::Now() < give_up_at) std::this_thread::yield();
  CHECK(follows());
}

TEST_CASE("Exposure: a prepaid partner buys its next block by itself, once",
          "[service][partner][inv-86]") {
  Owing owing;
  partner::v1::UpdateExposurePolicyRequest request;
  request.set_name("partners/books");
  request.mutable_policy()->set_reorder_below_points(100);
  request.mutable_policy()->set_reorder_points(1'000);
  // Whose issuance is billed afterwards buys nothing ahead.
  REQUIRE(owing.Ask<Partners>("anna", &Partners::Stub::UpdateExposurePolicy, request).ok());
  owing.coalition().database().Query(
      "update partner.contracts set funding = 'PREPAID_BLOCK' where kind = 'ISSUANCE' and "
      "partner_id = (select partner_id from partner.partners where slug = 'books')");
  REQUIRE(owing.Ask<Partners>("anna", &Partners::Stub::UpdateExposurePolicy, request).ok());
  // A repeat finds that there is enough.
  REQUIRE(owing.Ask<Partners>("anna", &Partners::Stub::UpdateExposurePolicy, request).ok());
  partner::v1::GetExposureRequest read;
  read.set_name("partners/books");
  const auto shown = owing.Ask<Partners>("auditor", &Partners::Stub::GetExposure, read);
  REQUIRE(shown.ok());
  CHECK(shown->exposure().remaining_points() == 1'000);
  REQUIRE(shown->exposure().point_blocks_size() == 1);
  CHECK(shown->exposure().point_blocks(0).point_block().sold_by() == "services/guilder-partner");
}

TEST_CASE("Exposure: a higher limit needs a second person, and only that very request",
          "[service][partner][inv-97]") {
  Owing owing;
  partner::v1::UpdateExposurePolicyRequest request;
  request.set_name("partners/fresh");
  const auto set = [&](int64_t limit) {
    request.mutable_policy()->set_credit_limit_minor_units(limit);
    return ReasonOf(
        owing.Ask<Partners>("anna", &Partners::Stub::UpdateExposurePolicy, request).status());
  };
  CHECK_FALSE(set(1'000'000));
  CHECK_FALSE(set(900'000));
  CHECK(set(900'001) == Reason::kApprovalRequired);

  owing.Approve(request);

  CHECK(set(900'002) == Reason::kApprovalRequired);
  CHECK_FALSE(set(900'001));
  CHECK_FALSE(set(900'000));
  // An approval is used once.
  CHECK(set(900'001) == Reason::kApprovalRequired);
  CHECK(set(0) == Reason::kApprovalRequired);
}

TEST_CASE("UpdateExposurePolicy: refusals", "[service][partner]") {
  Owing owing;
  partner::v1::UpdateExposurePolicyRequest request;
  const auto refused = [&] {
    return ReasonOf(
        owing.Ask<Partners>("anna", &Partners::Stub::UpdateExposurePolicy, request).status());
  };
  request.mutable_policy()->set_credit_limit_minor_units(-1);
  CHECK(refused() == Reason::kAmountOutOfRange);
  request.mutable_policy()->set_credit_limit_minor_units(1);
  request.mutable_policy()->set_warn_ppm(1'100'000);
  CHECK(refused() == Reason::kRequestMalformed);
  request.mutable_policy()->set_warn_ppm(0);
  request.mutable_policy()->set_reorder_points(5);
  CHECK(refused() == Reason::kRequestMalformed);
  request.mutable_policy()->set_reorder_points(0);
  request.set_name("partners/nobody");
  CHECK(refused() == Reason::kPartnerNotFound);
}

}  // namespace
}  // namespace guilder::access
