// Points that live by what their owner does, and points that live for some days at least.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/member/v1/points_service.grpc.pb.h"
#include "guilder/redemption/v1/redemption_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/points_service.h"
#include "services/redemption/rpc/redemption_service.h"
#include "tests/service/earning_world.h"
#include "tests/support/invariants.h"

namespace guilder::accrual {
namespace {

namespace mv1 = member::v1;

using Members = mv1::MemberService::Stub;
using Points = mv1::PointsService::Stub;
using Redemptions = redemption::v1::RedemptionService::Stub;

// Points live for two months without a purchase, unless a test says something else. The invariants
// are checked at the end.
struct ActivityWorld : EarningWorld {
  ActivityWorld()
      : EarningWorld([](testing::Coalition& coalition) {
          testing::ServiceNetwork& network = coalition.network();
          const member::MemberServiceDependencies dependencies{
              network.runtime(), network.pool(), coalition.lanes(), network.secrets()};
          network.Add(MakeMemberService(dependencies), member::kMemberServiceName);
          network.Add(MakePointsService(dependencies), member::kPointsServiceName);
          network.Add(redemption::MakeRedemptionService({network.runtime(), network.pool(),
                                                         coalition.lanes(), coalition.cards(),
                                                         network.secrets()}),
                      redemption::kRedemptionServiceName);
        }) {
    PutInForce(ASet());
    coalition.database().Query("update ledger.programmes set welcome_points = 0");
    coalition.database().Query("update ledger.configuration set version = version + 1");
    card = Enrol("+49301000001");
    SetExpiry({mv1::MEMBER_ACTIVITY_PURCHASE});
    // The purchases of tests were half an hour ago.
    coalition.AdvanceDays(1);
  }
  ~ActivityWorld() { testing::CheckInvariants(coalition.database()); }

  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Ask(grpc::Status (Service::*method)(grpc::ClientContext*, const Request&,
                                                               Response*),
                               const Request& request) const {
    using Api =
        std::conditional_t<std::is_same_v<Service, Members>, mv1::MemberService,
                           std::conditional_t<std::is_same_v<Service, Points>, mv1::PointsService,
                                              redemption::v1::RedemptionService>>;
    constexpr bool kByPartner = std::is_same_v<Service, Redemptions>;
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return clients::Client<Api>(kByPartner ? coalition.AsPartner("fresh")
                                           : coalition.network().AsOperator("anna"))
        .Invoke(method, request, once);
  }
  template <typename Service, typename Request, typename Response>
  Response Get(grpc::Status (Service::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request) const {
    auto answer = Ask(method, request);
    if (!answer.ok()) FAIL(answer.status().ToString());
    return *std::move(answer);
  }

  // Gives the new member's card.
  std::string Enrol(const std::string& phone) const {
    mv1::EnrolMemberRequest request;
    request.set_request_id(clients::NewRequestId());
    request.mutable_member()->set_given_name("Ada");
    request.mutable_member()->set_phone(phone);
    return Get(&Members::EnrolMember, request).card_number();
  }
  mv1::UpdatePointsPolicyRequest APolicy() const {
    mv1::UpdatePointsPolicyRequest request;
    *request.mutable_policy() =
        Get(&Points::GetPointsPolicy, mv1::GetPointsPolicyRequest()).policy();
    request.mutable_policy()->mutable_transfer()->set_allowed(true);
    request.mutable_policy()->mutable_transfer()->set_account_age_days(0);
    return request;
  }
  void SetExpiry(const std::vector<mv1::MemberActivity>& counted, int minimum_life_days = 0) const {
    auto request = APolicy();
    mv1::ExpiryPolicy& expiry = *request.mutable_policy()->mutable_expiry();
    expiry.set_kind(mv1::EXPIRY_KIND_INACTIVITY);
    expiry.set_months(2);
    expiry.set_minimum_life_days(minimum_life_days);
    expiry.clear_activities();
    for (const auto activity : counted) expiry.add_activities(activity);
    Get(&Points::UpdatePointsPolicy, request);
  }

  void Confirm(const std::string& name) const {
    const clients::Client<v1::AccrualService> client(coalition.AsPartner("fresh"));
    grpc::ClientContext context;
    client.channel().Prepare(context, absl::Now() + absl::Seconds(10));
    auto stream = client.stub().ConfirmPurchases(&context);
    v1::ConfirmPurchasesRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_purchase(name);
    request.set_outcome(v1::PURCHASE_OUTCOME_CONFIRMED);
    stream->Write(request);
    stream->WritesDone();
    v1::ConfirmPurchasesResponse response;
    REQUIRE(stream->Read(&response));
    REQUIRE(stream->Finish().ok());
    REQUIRE_FALSE(response.has_error());
  }
  std::string Earn(int64_t euros, const std::string& of = "") const {
    const std::string name = Buy(APurchase(euros, of)).name();
    Confirm(name);
    return name;
  }
  void Return(const std::string& purchase) const {
    v1::RecordReturnRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/fresh/stores/s1");
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now());
    request.set_purchase(purchase);
    request.add_lines()->set_line_id("1");
    request.mutable_lines(0)->set_quantity(1);
    const auto returned = AsPartner(&Stub::RecordReturn, request);
    if (!returned.ok()) FAIL(returned.status().ToString());
  }
  std::string Hold(int64_t points) const {
    redemption::v1::AuthorizeRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/fresh/stores/s1");
    request.set_card_number(card);
    request.set_points(points);
    return Get(&Redemptions::AuthorizeRedemption, request).name();
  }
  std::string Capture(const std::string& hold) const {
    redemption::v1::CaptureRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(hold);
    request.set_final(true);
    Get(&Redemptions::CaptureRedemption, request);
    return hold;
  }
  std::string Pay(int64_t points) const { return Capture(Hold(points)); }
  void Refund(const std::string& redemption, int64_t points) const {
    redemption::v1::RefundRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(redemption);
    request.set_points(points);
    Get(&Redemptions::RefundRedemption, request);
  }

  mv1::GetBalanceResponse Balance(const std::string& of = "") const {
    mv1::GetBalanceRequest request;
    request.set_card_number(of.empty() ? card : of);
    return Get(&Members::GetBalance, request);
  }
  int64_t Available(const std::string& of = "") const { return Balance(of).available_points(); }
  // What is said to expire in so many days from today, over all members.
  int64_t Expiring(int days) const {
    mv1::PreviewExpiryRequest request;
    *request.mutable_until() = rpc::ToProto(coalition.Now() + Timestamp(days * kDay));
    int64_t points = 0;
    do {
      const auto page = Get(&Points::PreviewExpiry, request);
      for (const auto& expiry : page.expiries()) points += expiry.points();
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return points;
  }
  int64_t Sweep() const {
    mv1::SweepExpiryRequest request;
    int64_t brought_up = 0;
    do {
      const auto page = Get(&Points::SweepExpiry, request);
      brought_up += page.accounts_brought_up();
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return brought_up;
  }
};

TEST_CASE("Inactivity: what counts lets all points live on, and every reader has the date",
          "[service][member][inv-66][inv-69]") {
  const ActivityWorld world;
  world.Earn(100);
  CHECK(world.Expiring(55) == 0);
  CHECK(world.Expiring(65) == 100);
  world.coalition.AdvanceDays(50);
  // Refused, and so none.
  auto refused = world.APurchase(10);
  refused.set_currency_code("USD");
  CHECK_FALSE(world.AsPartner(&Stub::RecordPurchase, refused).ok());
  CHECK(world.Expiring(15) == 100);

  world.Earn(10);
  CHECK(world.Expiring(55) == 0);
  CHECK(world.Expiring(65) == 110);
  const std::string name = world.Balance().member();
  mv1::ListLotsRequest lots;
  lots.set_parent(name);
  std::set<int64_t> ends;
  const auto listed = world.Get(&Members::ListLots, lots);
  for (const auto& lot : listed.lots()) ends.insert(lot.expires_at().seconds());
  CHECK(ends.size() == 1);
  mv1::GetStatementRequest statement;
  statement.set_member(name);
  const auto told = world.Get(&Members::GetStatement, statement);
  for (const auto& item : told.items()) {
    if (item.kind() == mv1::TIMELINE_KIND_EXPIRY) {
      CHECK(item.at().seconds() == *ends.begin());
    }
  }

  world.coalition.AdvanceDays(50);
  CHECK(world.Sweep() <= 1);
  CHECK(world.Available() == 110);
  // A payment is none here.
  world.Pay(5);
  CHECK(world.Expiring(15) == 105);
  world.coalition.AdvanceDays(15);
  CHECK(world.Available() == 0);
  CHECK(world.Sweep() == 1);
  CHECK(world.Sweep() == 0);
  CHECK(world.Count("select sum(expired)::bigint from ledger.lots") == 105);
}

TEST_CASE("Inactivity: what leaves nothing of an activity takes its date back",
          "[service][member][inv-66]") {
  const ActivityWorld world;
  world.SetExpiry({mv1::MEMBER_ACTIVITY_PURCHASE, mv1::MEMBER_ACTIVITY_PAYMENT});
  world.Earn(100);
  world.coalition.AdvanceDays(20);
  const std::string second = world.Earn(40);
  world.coalition.AdvanceDays(20);
  const std::string payment = world.Pay(10);
  CHECK(world.Expiring(55) == 0);

  // A part of it is left.
  world.Refund(payment, 4);
  CHECK(world.Expiring(55) == 0);
  world.Refund(payment, 6);
  CHECK(world.Expiring(30) == 0);
  CHECK(world.Expiring(45) == 140);
  world.Return(second);
  CHECK(world.Expiring(25) == 100);
  // What was undone does not come back with the next one that is.
  const std::string third = world.Earn(7);
  CHECK(world.Expiring(55) == 0);
  world.Return(third);
  CHECK(world.Expiring(25) == 100);
  world.coalition.AdvanceDays(25);
  CHECK(world.Available() == 0);
}

TEST_CASE("Inactivity: points from others and to others are none, and keep their date",
          "[service][member][inv-66][inv-67]") {
  const ActivityWorld world;
  auto policy = world.APolicy();
  world.Get(&Points::UpdatePointsPolicy, policy);
  const std::string other = world.Enrol("+49301000002");
  world.Earn(100);
  world.coalition.AdvanceDays(20);
  world.Earn(50, other);
  const int64_t all = world.Available() + world.Available(other);
  mv1::TransferPointsRequest transfer;
  transfer.set_request_id(clients::NewRequestId());
  transfer.set_source(world.Balance().member());
  transfer.set_target(world.Balance(other).member());
  transfer.set_points(60);
  world.Get(&Members::TransferPoints, transfer);

  // The giver's own date holds for the rest, and the taker's activity for what came.
  CHECK(world.Expiring(45) == 40);
  CHECK(world.Expiring(65) == all);
  world.coalition.AdvanceDays(45);
  CHECK(world.Available() == 0);
  CHECK(world.Available(other) == 110);
  // What is captured from a merged account is the survivor's doing.
  world.SetExpiry({mv1::MEMBER_ACTIVITY_PURCHASE, mv1::MEMBER_ACTIVITY_PAYMENT});
  world.Earn(30);
  const std::string hold = world.Hold(10);
  mv1::MergeMembersRequest merge;
  merge.set_request_id(clients::NewRequestId());
  merge.set_source(transfer.source());
  merge.set_target(transfer.target());
  world.Get(&Members::MergeMembers, merge);
  CHECK(world.Expiring(20) == 110);
  world.Capture(hold);
  CHECK(world.Expiring(55) == 0);
  CHECK(world.Expiring(65) == 130);
}

TEST_CASE("Inactivity: a sale counts by the day on which it occurred, and points keep their rule",
          "[service][member][inv-65][inv-66]") {
  const ActivityWorld world;
  world.Earn(100);
  world.coalition.AdvanceDays(30);
  auto late = world.APurchase(10);
  *late.mutable_occurred_at() = rpc::ToProto(world.coalition.Now() - Timestamp(10 * kDay));
  world.Confirm(world.Buy(late).name());
  // The confirmation is of today, and so is the activity.
  CHECK(world.Expiring(55) == 0);
  CHECK(world.Expiring(65) == 110);

  auto never = world.APolicy();
  never.mutable_policy()->mutable_expiry()->Clear();
  never.mutable_policy()->mutable_expiry()->set_kind(mv1::EXPIRY_KIND_MONTHS);
  never.mutable_policy()->mutable_expiry()->set_months(1);
  world.Get(&Points::UpdatePointsPolicy, never);
  world.coalition.AdvanceDays(1);
  world.Earn(5);
  // What was earned by the new rule ends by it; what was earned before lives by activity still.
  CHECK(world.Expiring(35) == 5);
  CHECK(world.Expiring(57) == 5);
  CHECK(world.Expiring(65) == 115);
}

TEST_CASE("Minimum life: points of a sale that comes late live for some days",
          "[service][member][inv-65]") {
  const ActivityWorld world;
  world.SetExpiry({mv1::MEMBER_ACTIVITY_PAYMENT}, /*minimum_life_days=*/70);
  world.coalition.AdvanceDays(1);
  world.Earn(10);
  CHECK(world.Expiring(68) == 0);
  CHECK(world.Expiring(72) == 10);
}

TEST_CASE("UpdatePointsPolicy: a rule by inactivity that says too little is refused",
          "[service][member]") {
  const ActivityWorld world;
  const auto refused = [&](const std::function<void(mv1::ExpiryPolicy&)>& change) {
    auto request = world.APolicy();
    change(*request.mutable_policy()->mutable_expiry());
    return guilder::ReasonOf(world.Ask(&Points::UpdatePointsPolicy, request).status()) ==
           Reason::kRequestMalformed;
  };
  CHECK(refused([](auto& expiry) { expiry.clear_activities(); }));
  CHECK(refused([](auto& expiry) { expiry.set_activities(0, mv1::MEMBER_ACTIVITY_UNSPECIFIED); }));
  CHECK(refused([](auto& expiry) { expiry.add_activities(static_cast<mv1::MemberActivity>(77)); }));
  CHECK(refused([](auto& expiry) { expiry.add_activities(static_cast<mv1::MemberActivity>(-1)); }));
  CHECK(refused([](auto& expiry) { expiry.set_months(0); }));
  CHECK(refused([](auto& expiry) { expiry.set_kind(mv1::EXPIRY_KIND_MONTHS); }));
  CHECK(refused([](auto& expiry) { expiry.set_minimum_life_days(-1); }));
  CHECK(refused([](auto& expiry) { expiry.set_minimum_life_days(100'000); }));
  CHECK_FALSE(refused([](auto& expiry) { expiry.add_activities(mv1::MEMBER_ACTIVITY_GIFT); }));
}

}  // namespace
}  // namespace guilder::accrual
