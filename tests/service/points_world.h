// The services of members' points over a coalition, for tests.
#pragma once

#include <optional>
#include <string>

#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/member/v1/points_service.grpc.pb.h"
#include "guilder/redemption/v1/redemption_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/clients/client.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/points_service.h"
#include "services/member/rpc/standing_service.h"
#include "services/redemption/rpc/redemption_service.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"
#include "tests/support/invariants.h"

namespace guilder::member {

// A new member has 1,000 points of `house`, available for 30 days. The invariants are checked at
// the end.
struct PointsWorld {
  using Members = v1::MemberService::Stub;
  using Staff = v1::PointsService::Stub;

  struct Person {
    std::string name;
    std::string card;
  };

  PointsWorld() {
    testing::ServiceNetwork& network = coalition.network();
    const MemberServiceDependencies dependencies{network.runtime(), network.pool(),
                                                 coalition.lanes(), network.secrets()};
    network.Add(MakeMemberService(dependencies), kMemberServiceName);
    network.Add(MakePointsService(dependencies), kPointsServiceName);
    network.Add(MakeStandingService(dependencies), kStandingServiceName);
    network.Add(MakePersonService(dependencies), kPersonServiceName);
    network.Add(
        redemption::MakeRedemptionService({network.runtime(), network.pool(), coalition.lanes(),
                                           coalition.cards(), network.secrets()}),
        redemption::kRedemptionServiceName);
    network.Start();
    Change(
        "update partner.contracts set activation_days = 0, lot_life_days = 30 where partner_id = "
        "(select partner_id from partner.partners where slug = 'house') and kind = 'ISSUANCE'");
    Change("update ledger.programmes set welcome_points = 1000");
  }
  ~PointsWorld() { testing::CheckInvariants(coalition.database()); }

  void Change(const std::string& sql) const {
    coalition.database().Query(sql);
    coalition.database().Query("update ledger.configuration set version = version + 1");
  }
  int64_t Count(const std::string& query) const {
    return coalition.database().Query(query)[0].Int(0);
  }

  clients::Channel Operator(const std::string& who = "anna") const {
    return coalition.network().AsOperator(who);
  }

  template <typename Service, typename Request, typename Response>
  static absl::StatusOr<Response> Call(const clients::Channel& channel,
                                       grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                             const Request&,
                                                                             Response*),
                                       const Request& request) {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return clients::Client<Service>(channel).Invoke(method, request, once);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(grpc::Status (Members::*method)(grpc::ClientContext*, const Request&,
                                                               Response*),
                               const Request& request) const {
    return Call<v1::MemberService>(Operator(), method, request);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(grpc::Status (Staff::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                               const Request& request, const std::string& who = "anna") const {
    return Call<v1::PointsService>(Operator(who), method, request);
  }

  Person Enrol() const {
    v1::EnrolMemberRequest request;
    request.set_request_id(clients::NewRequestId());
    request.mutable_member()->set_given_name("Ada");
    request.mutable_member()->set_phone("+4930" + std::to_string(1'000'000 + ++enrolled_));
    const auto enrolled = Ask(&Members::EnrolMember, request);
    REQUIRE(enrolled.ok());
    return {enrolled->member(), enrolled->card_number()};
  }

  v1::GetBalanceResponse Balance(const Person& person) const {
    v1::GetBalanceRequest request;
    request.set_member(person.name);
    const auto balance = Ask(&Members::GetBalance, request);
    REQUIRE(balance.ok());
    return *balance;
  }

  static v1::TransferPointsRequest ATransfer(const Person& from, const Person& to, int64_t points) {
    v1::TransferPointsRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_source(from.name);
    request.set_target(to.name);
    request.set_points(points);
    return request;
  }
  absl::StatusOr<v1::TransferPointsResponse> Transfer(
      const v1::TransferPointsRequest& request) const {
    return Ask(&Members::TransferPoints, request);
  }
  absl::StatusOr<v1::TransferPointsResponse> Transfer(const Person& from, const Person& to,
                                                      int64_t points) const {
    return Transfer(ATransfer(from, to, points));
  }
  absl::StatusOr<v1::ReverseTransferResponse> Reverse(const std::string& transfer) const {
    v1::ReverseTransferRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(transfer);
    return Ask(&Staff::ReverseTransfer, request);
  }
  static v1::MergeMembersRequest AMerge(const Person& source, const Person& target) {
    v1::MergeMembersRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_source(source.name);
    request.set_target(target.name);
    return request;
  }
  absl::StatusOr<v1::MergeMembersResponse> Merge(const Person& source, const Person& target) const {
    return Ask(&Members::MergeMembers, AMerge(source, target));
  }

  v1::PointsPolicy Policy() const {
    const auto got = Ask(&Staff::GetPointsPolicy, v1::GetPointsPolicyRequest());
    REQUIRE(got.ok());
    return got->policy();
  }
  absl::StatusOr<v1::UpdatePointsPolicyResponse> SetPolicy(const v1::PointsPolicy& policy) const {
    v1::UpdatePointsPolicyRequest request;
    *request.mutable_policy() = policy;
    return Ask(&Staff::UpdatePointsPolicy, request);
  }

  absl::StatusOr<std::string> Hold(const Person& person, int64_t points) const {
    redemption::v1::AuthorizeRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_store("partners/books/stores/s1");
    request.set_card_number(person.card);
    request.set_points(points);
    const auto held =
        clients::Client<redemption::v1::RedemptionService>(coalition.AsPartner("books"))
            .Invoke(&redemption::v1::RedemptionService::Stub::AuthorizeRedemption, request);
    if (!held.ok()) return held.status();
    return held->name();
  }
  absl::Status Capture(const std::string& hold, int64_t points) const {
    redemption::v1::CaptureRedemptionRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(hold);
    request.set_points(points);
    request.set_final(true);
    return clients::Client<redemption::v1::RedemptionService>(coalition.AsPartner("books"))
        .Invoke(&redemption::v1::RedemptionService::Stub::CaptureRedemption, request)
        .status();
  }

  mutable testing::Coalition coalition;
  mutable int enrolled_ = 0;
};

template <typename Response>
std::optional<Reason> ReasonOf(const absl::StatusOr<Response>& answer) {
  return guilder::ReasonOf(answer.status());
}

}  // namespace guilder::member
