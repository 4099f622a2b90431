#include <future>
#include <map>

#include "libs/rpc/proto_time.h"
#include "tests/service/points_world.h"

namespace guilder::member {
namespace {

using World = PointsWorld;

v1::AdjustPointsRequest AnAdjustment(const World::Person& person, int64_t points) {
  v1::AdjustPointsRequest request;
  request.set_request_id(clients::NewRequestId());
  request.set_member(person.name);
  request.set_points(points);
  request.set_reason(v1::ADJUSTMENT_REASON_GOODWILL);
  request.set_payer("partners/house");
  return request;
}

absl::StatusOr<v1::AdjustPointsResponse> Adjust(const World& world,
                                                const v1::AdjustPointsRequest& request) {
  return world.Ask(&World::Members::AdjustPoints, request);
}

absl::StatusOr<v1::ApproveAdjustmentResponse> Approve(const World& world, const std::string& name,
                                                      const std::string& etag,
                                                      const std::string& who) {
  v1::ApproveAdjustmentRequest request;
  request.set_name(name);
  request.set_etag(etag);
  return world.Ask(&World::Staff::ApproveAdjustment, request, who);
}

void Limit(const World& world, int64_t alone, int64_t daily) {
  v1::PointsPolicy policy = world.Policy();
  policy.mutable_adjustment()->set_admin_points(alone);
  policy.mutable_adjustment()->set_admin_daily_points(daily);
  policy.mutable_adjustment()->set_support_points(alone);
  policy.mutable_adjustment()->set_support_daily_points(daily);
  REQUIRE(world.SetPolicy(policy).ok());
}

TEST_CASE("AdjustPoints: points are given at a partner's expense, and taken as breakage",
          "[service][member][inv-98]") {
  const World world;
  const auto anna = world.Enrol();
  v1::AdjustPointsRequest gift = AnAdjustment(anna, 300);
  gift.set_payer("partners/books");

  const auto given = Adjust(world, gift);
  const auto again = Adjust(world, gift);
  const auto taken = Adjust(world, AnAdjustment(anna, -100));

  REQUIRE(given.ok());
  CHECK(given->state() == v1::ADJUSTMENT_STATE_POSTED);
  CHECK(given->available_points() == 1'300);
  REQUIRE(again.ok());
  CHECK(again->SerializeAsString() == given->SerializeAsString());
  REQUIRE(taken.ok());
  CHECK(world.Balance(anna).available_points() == 1'200);
  CHECK(world.Count("select -sum(balance)::bigint from ledger.control_accounts c join "
                    "partner.partners p using (partner_id) where c.kind = 1 and slug = 'books'") ==
        300);
  CHECK(world.Count("select sum(balance)::bigint from ledger.control_accounts where kind = 3") ==
        100);
}

TEST_CASE("AdjustPoints: more than an operator may do alone waits for a second person",
          "[service][member][inv-97][inv-98]") {
  const World world;
  const auto anna = world.Enrol();
  Limit(world, 500, 5'000);

  const auto asked = Adjust(world, AnAdjustment(anna, 501));

  REQUIRE(asked.ok());
  CHECK(asked->state() == v1::ADJUSTMENT_STATE_WAITING);
  CHECK(world.Balance(anna).available_points() == 1'000);
  CHECK(ReasonOf(Approve(world, asked->name(), asked->etag(), "anna")) == Reason::kSamePerson);
  CHECK(ReasonOf(Approve(world, asked->name(), "other", "bert")) == Reason::kChangeDiffers);
  CHECK(ReasonOf(Approve(world, "adjustments/999", asked->etag(), "bert")) ==
        Reason::kApprovalNotFound);
  const auto approved = Approve(world, asked->name(), asked->etag(), "bert");
  REQUIRE(approved.ok());
  CHECK(approved->adjustment().state() == v1::ADJUSTMENT_STATE_POSTED);
  CHECK(approved->adjustment().decided_by() == "bert");
  CHECK(Approve(world, asked->name(), asked->etag(), "bert").ok());
  CHECK(ReasonOf(Approve(world, asked->name(), asked->etag(), "cleo")) == Reason::kWrongState);
  CHECK(world.Balance(anna).available_points() == 1'501);
}

TEST_CASE("AdjustPoints: an approval that comes too late, and a rejection, move nothing",
          "[service][member][inv-97]") {
  const World world;
  const auto anna = world.Enrol();
  Limit(world, 500, 5'000);
  const v1::AdjustPointsRequest request = AnAdjustment(anna, 600);
  const auto asked = Adjust(world, request);
  const auto late = Adjust(world, AnAdjustment(anna, 700));
  REQUIRE(asked.ok());
  REQUIRE(late.ok());

  v1::RejectAdjustmentRequest reject;
  reject.set_name(asked->name());
  reject.set_note(std::string(501, 'x'));
  CHECK(ReasonOf(world.Ask(&World::Staff::RejectAdjustment, reject, "bert")) ==
        Reason::kRequestMalformed);
  reject.set_note("not ours to mend");
  REQUIRE(world.Ask(&World::Staff::RejectAdjustment, reject, "bert").ok());
  world.coalition.AdvanceDays(7);

  CHECK(ReasonOf(world.Ask(&World::Staff::RejectAdjustment, reject, "bert")) ==
        Reason::kWrongState);
  CHECK(ReasonOf(Adjust(world, request)) == Reason::kWrongState);
  CHECK(ReasonOf(Approve(world, late->name(), late->etag(), "bert")) == Reason::kApprovalExpired);
  CHECK(world.Balance(anna).available_points() == 1'000);
}

TEST_CASE("AdjustPoints: a day's limit holds for requests at once", "[service][member][inv-98]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  Limit(world, 500, 1'000);

  std::vector<std::future<bool>> answers;
  for (int i = 0; i < 6; ++i) {
    answers.push_back(std::async(std::launch::async, [&, i] {
      return Adjust(world, AnAdjustment(i % 2 == 0 ? anna : bert, 400)).ok();
    }));
  }
  int posted = 0;
  for (auto& answer : answers) posted += answer.get();

  CHECK(posted == 2);
  CHECK(ReasonOf(Adjust(world, AnAdjustment(anna, -300))) == Reason::kLimitExceeded);
  world.coalition.AdvanceDays(1);
  CHECK(Adjust(world, AnAdjustment(anna, 400)).ok());
}

TEST_CASE("ReportAdjustments: sums by reason and payer are what the ledger has",
          "[service][member][inv-98]") {
  const World world;
  const auto anna = world.Enrol();
  v1::AdjustPointsRequest fraud = AnAdjustment(anna, -200);
  fraud.set_reason(v1::ADJUSTMENT_REASON_FRAUD);
  REQUIRE(Adjust(world, AnAdjustment(anna, 50)).ok());
  REQUIRE(Adjust(world, AnAdjustment(anna, 70)).ok());
  REQUIRE(Adjust(world, fraud).ok());
  CHECK(ReasonOf(Adjust(world, AnAdjustment(anna, -5'000))) == Reason::kInsufficientPoints);

  const auto report = world.Ask(&World::Staff::ReportAdjustments, v1::ReportAdjustmentsRequest());
  const auto list = world.Ask(&World::Staff::ListAdjustments, v1::ListAdjustmentsRequest());

  REQUIRE(report.ok());
  REQUIRE(report->sums_size() == 2);
  CHECK(report->sums(0).reason() == v1::ADJUSTMENT_REASON_GOODWILL);
  CHECK(report->sums(0).payer() == "partners/house");
  CHECK(report->sums(0).count() == 2);
  CHECK(report->sums(0).given_points() == 120);
  CHECK(report->sums(1).taken_points() == 200);
  CHECK(world.Count("select sum(e.points)::bigint from ledger.entries e join ledger.journal j "
                    "using (book, number) where j.kind = 45 and e.debit_bucket = 1") == 120);
  CHECK(world.Count("select sum(e.points)::bigint from ledger.entries e join ledger.journal j "
                    "using (book, number) where j.kind = 45 and e.credit_bucket = 3") == 200);
  REQUIRE(list.ok());
  REQUIRE(list->adjustments_size() == 4);
  CHECK(list->adjustments(0).state() == v1::ADJUSTMENT_STATE_REFUSED);
}

TEST_CASE("AdjustPoints: hostile and mistaken requests are refused", "[service][member][inv-98]") {
  const World world;
  const auto anna = world.Enrol();
  const auto reason = [&](auto change) {
    v1::AdjustPointsRequest request = AnAdjustment(anna, 10);
    change(request);
    return ReasonOf(Adjust(world, request));
  };

  CHECK(reason([](auto& r) { r.set_request_id("1"); }) == Reason::kRequestIdMalformed);
  CHECK(reason([](auto& r) { r.clear_reason(); }) == Reason::kRequestMalformed);
  CHECK(reason([](auto& r) { r.set_reason(static_cast<v1::AdjustmentReason>(99)); }) ==
        Reason::kRequestMalformed);
  CHECK(reason([](auto& r) { r.set_reason(v1::ADJUSTMENT_REASON_OTHER); }) ==
        Reason::kRequestMalformed);
  CHECK(reason([](auto& r) { r.set_note(std::string("a\0b", 3)); }) == Reason::kRequestMalformed);
  CHECK(reason([](auto& r) { r.set_note("a\x1b[2Kb"); }) == Reason::kRequestMalformed);
  CHECK(reason([](auto& r) { r.set_points(0); }) == Reason::kAmountOutOfRange);
  CHECK(reason([](auto& r) { r.set_points(INT64_MIN); }) == Reason::kAmountOutOfRange);
  CHECK(reason([](auto& r) { r.set_member("members/1"); }) == Reason::kMemberNotFound);
  CHECK(reason([](auto& r) { r.clear_payer(); }) == Reason::kPartnerNotFound);
  CHECK(reason([](auto& r) { r.set_payer("partners/none"); }) == Reason::kPartnerNotFound);
  CHECK(reason([](auto& r) { r.set_points(1'000'000); }) == Reason::kLimitExceeded);
  CHECK(world.Count("select count(*) from member.adjustments") == 0);
}

int64_t Preview(const World& world, int days) {
  v1::PreviewExpiryRequest request;
  *request.mutable_until() = rpc::ToProto(world.coalition.Now() + Timestamp(days * kMicrosPerDay));
  int64_t points = 0;
  do {
    const auto page = world.Ask(&World::Staff::PreviewExpiry, request);
    REQUIRE(page.ok());
    for (const auto& expiry : page->expiries()) points += expiry.points();
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return points;
}

int64_t Sweep(const World& world) {
  v1::SweepExpiryRequest request;
  int64_t brought_up = 0;
  do {
    const auto page = world.Ask(&World::Staff::SweepExpiry, request);
    REQUIRE(page.ok());
    brought_up += page->accounts_brought_up();
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return brought_up;
}

TEST_CASE("Expiry: what is previewed is what expires, and a sweep is idempotent, late or not",
          "[service][member][inv-64][inv-68]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  // What a hold holds expires when it ends, unless it is captured before.
  const auto hold = world.Hold(bert, 400);
  REQUIRE(hold.ok());
  CHECK(Preview(world, 20) == 0);
  CHECK(Preview(world, 40) == 2'000);
  // Spending reduces the figure.
  REQUIRE(world.Capture(*hold, 400).ok());
  CHECK(Preview(world, 40) == 1'600);
  CHECK(Sweep(world) == 0);

  world.coalition.AdvanceDays(45);
  CHECK(Preview(world, 1) == 1'600);
  CHECK(world.Balance(anna).available_points() == 0);
  CHECK(Sweep(world) == 2);
  CHECK(Sweep(world) == 0);

  CHECK(Preview(world, 40) == 0);
  CHECK(world.Count("select sum(balance)::bigint from ledger.control_accounts where kind = 3") ==
        1'600);
  CHECK(world.Count("select count(*) from ledger.journal where kind = 46") == 2);
}

TEST_CASE("Expiry: a notice has the exact figure of a member, and there is none for nothing",
          "[service][member][inv-69]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  const auto figures = [&] {
    v1::PreviewExpiryRequest request;
    *request.mutable_until() = rpc::ToProto(world.coalition.Now() + Timestamp(40 * kMicrosPerDay));
    std::map<std::string, int64_t> points;
    do {
      const auto page = world.Ask(&World::Staff::PreviewExpiry, request);
      REQUIRE(page.ok());
      for (const auto& expiry : page->expiries()) points[expiry.member()] += expiry.points();
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return points;
  };

  CHECK(figures() == std::map<std::string, int64_t>{{anna.name, 1'000}, {bert.name, 1'000}});
  const auto part = world.Hold(anna, 300);
  const auto all = world.Hold(bert, 1'000);
  REQUIRE(world.Capture(*part, 300).ok());
  REQUIRE(world.Capture(*all, 1'000).ok());
  CHECK(figures() == std::map<std::string, int64_t>{{anna.name, 700}});
}

TEST_CASE("Expiry: expired points are given back in bulk, with their issuers, once for a request",
          "[service][member][inv-70]") {
  const World world;
  const auto anna = world.Enrol();
  const auto bert = world.Enrol();
  world.coalition.AdvanceDays(45);
  REQUIRE(Sweep(world) == 2);
  v1::ReinstatePointsRequest request;
  request.set_request_id(clients::NewRequestId());
  *request.mutable_start_time() =
      rpc::ToProto(world.coalition.Now() - Timestamp(30 * kMicrosPerDay));
  *request.mutable_end_time() = rpc::ToProto(world.coalition.Now());
  request.set_life_days(60);
  request.set_reason(v1::ADJUSTMENT_REASON_TECHNICAL_FAULT);
  request.set_payer("partners/house");
  const auto run = [&] {
    int64_t points = 0;
    request.clear_page_token();
    do {
      const auto page = world.Ask(&World::Staff::ReinstatePoints, request);
      REQUIRE(page.ok());
      points += page->points();
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return points;
  };

  CHECK(run() == 2'000);
  CHECK(world.Balance(anna).available_points() == 1'000);
  // The same request changes nothing, and another one finds nothing more.
  run();
  request.set_request_id(clients::NewRequestId());
  CHECK(run() == 0);

  CHECK(world.Balance(bert).available_points() == 1'000);
  CHECK(world.Count("select count(*) from ledger.lots l join ledger.lots o on o.account_id = "
                    "l.origin_account and o.lot_id = l.origin_lot and (o.issuer_id, o.contract_id) "
                    "= (l.issuer_id, l.contract_id)") == 2);
  CHECK(world.Count("select sum(balance)::bigint from ledger.control_accounts where kind = 3") ==
        0);
  request.set_life_days(0);
  CHECK(ReasonOf(world.Ask(&World::Staff::ReinstatePoints, request)) == Reason::kRequestMalformed);
}

TEST_CASE("Expiry: another payer makes good for what is given back, and fees stay what they are",
          "[service][member][inv-70][inv-98]") {
  const World world;
  const auto anna = world.Enrol();
  REQUIRE(Adjust(world, AnAdjustment(anna, -100)).ok());
  world.coalition.AdvanceDays(45);
  REQUIRE(Sweep(world) == 1);
  v1::ReinstatePointsRequest request;
  request.set_request_id(clients::NewRequestId());
  *request.mutable_start_time() =
      rpc::ToProto(world.coalition.Now() - Timestamp(30 * kMicrosPerDay));
  *request.mutable_end_time() = rpc::ToProto(world.coalition.Now());
  request.set_life_days(60);
  request.set_reason(v1::ADJUSTMENT_REASON_TECHNICAL_FAULT);
  request.set_payer("partners/nobody");
  CHECK(ReasonOf(world.Ask(&World::Staff::ReinstatePoints, request)) == Reason::kPartnerNotFound);
  request.set_payer("partners/books");
  const auto run = [&] {
    int64_t points = 0;
    request.clear_page_token();
    do {
      const auto page = world.Ask(&World::Staff::ReinstatePoints, request);
      if (!page.ok()) FAIL(page.status().ToString());
      points += page->points();
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return points;
  };

  CHECK(run() == 900);
  run();
  request.set_request_id(clients::NewRequestId());
  CHECK(run() == 0);

  CHECK(world.Balance(anna).available_points() == 900);
  // They are of the same issuer, and as many of the payer's are billed to it, and breakage.
  CHECK(world.Count("select sum(remaining)::bigint from ledger.lots l join partner.partners p on "
                    "p.partner_id = l.issuer_id where p.slug = 'house'") == 900);
  CHECK(world.Count("select -sum(balance)::bigint from ledger.control_accounts c join "
                    "partner.partners p using (partner_id) where c.kind = 1 and slug = 'books'") ==
        900);
  CHECK(world.Count("select sum(balance)::bigint from ledger.control_accounts where kind = 3") ==
        1'000);
  CHECK(world.Count("select sum(forfeited)::bigint from ledger.lots") == 1'000);
}

TEST_CASE("Expiry: a page token of something else, and a malformed date, are refused",
          "[service][member]") {
  const World world;
  v1::SweepExpiryRequest sweep;
  sweep.set_page_token("x");
  CHECK(ReasonOf(world.Ask(&World::Staff::SweepExpiry, sweep)) == Reason::kPageTokenInvalid);
  v1::PreviewExpiryRequest preview;
  preview.set_page_size(-1);
  CHECK(ReasonOf(world.Ask(&World::Staff::PreviewExpiry, preview)) == Reason::kRequestMalformed);
  preview.set_page_size(0);
  preview.mutable_until()->set_seconds(INT64_MAX);
  CHECK(ReasonOf(world.Ask(&World::Staff::PreviewExpiry, preview)) == Reason::kRequestMalformed);
}

}  // namespace
}  // namespace guilder::member
