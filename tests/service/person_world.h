// A coalition with the services on members and on people, for tests of these.
#pragma once

#include <string>

#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/member/v1/person_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/clients/client.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/rpc/accrual_service.h"
#include "services/member/rpc/member_service.h"
#include "services/redemption/rpc/redemption_service.h"
#include "tests/support/catch2.h"
#include "tests/support/coalition.h"
#include "tests/support/invariants.h"

namespace guilder::member {

// Two enrolments of one name differ in phone and address.
struct PersonWorld {
  PersonWorld() {
    testing::ServiceNetwork& network = coalition.network();
    const MemberServiceDependencies members{network.runtime(), network.pool(), coalition.lanes(),
                                            network.secrets()};
    network.Add(MakeMemberService(members), kMemberServiceName);
    network.Add(MakePersonService(members), kPersonServiceName);
    network.Add(MakeImportService(members), kImportServiceName);
    network.Add(MakeDocumentService(members), kDocumentServiceName);
    network.Add(MakeCardService(members), kCardServiceName);
    network.Add(MakeNoticeService(members), kNoticeServiceName);
    network.Add(MakeBonusService(members), kBonusServiceName);
    network.Add(accrual::MakeAccrualService({network.runtime(), network.pool(), coalition.lanes(),
                                             coalition.cards(), network.secrets()}),
                accrual::kAccrualServiceName);
    network.Add(
        redemption::MakeRedemptionService({network.runtime(), network.pool(), coalition.lanes(),
                                           coalition.cards(), network.secrets()}),
        redemption::kRedemptionServiceName);
    network.Start();
    Query("update ledger.programmes set welcome_points = 50");
    Query("update ledger.configuration set version = version + 1");
  }
  ~PersonWorld() { testing::CheckInvariants(coalition.database()); }

  postgres::Rows Query(const std::string& sql) const { return coalition.database().Query(sql); }
  clients::Channel Operator() const { return coalition.network().AsOperator("anna"); }
  clients::Channel Partner() const { return coalition.AsPartner("fresh"); }

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
  // Of the service on people, as an operator.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Ask(grpc::Status (v1::PersonService::Stub::*method)(grpc::ClientContext*,
                                                                               const Request&,
                                                                               Response*),
                               const Request& request) const {
    return Call<v1::PersonService>(Operator(), method, request);
  }

  struct Enrolled {
    std::string name;     // as operators call the member
    std::string partner;  // as `fresh` does
    std::string card;
  };
  static v1::Member Ada(const std::string& phone = "+49301234567") {
    v1::Member member;
    member.set_given_name("Ada");
    member.set_family_name("Byron-Lovelace");
    member.set_phone(phone);
    member.set_email("ada." + phone.substr(1) + "@countess.example");
    member.set_address("12 Saint James's Square\nLondon");
    member.set_birth_date("1985-12-10");
    return member;
  }
  absl::StatusOr<v1::EnrolMemberResponse> TryEnrol(const v1::Member& member) const {
    v1::EnrolMemberRequest request;
    request.set_request_id(clients::NewRequestId());
    *request.mutable_member() = member;
    return Call<v1::MemberService>(Partner(), &v1::MemberService::Stub::EnrolMember, request);
  }
  Enrolled Enrol(const v1::Member& member) const {
    const auto enrolled = TryEnrol(member);
    INFO(enrolled.status().ToString());
    REQUIRE(enrolled.ok());
    REQUIRE_FALSE(enrolled->existed());
    const std::string card = enrolled->card_number();
    return {"members/" + std::to_string(coalition.AccountOf(card).value()), enrolled->member(),
            card};
  }
  Enrolled Enrol() const { return Enrol(Ada()); }

  absl::StatusOr<v1::Member> Get(const std::string& name) const {
    v1::GetMemberRequest request;
    request.set_name(name);
    const auto response =
        Call<v1::MemberService>(Operator(), &v1::MemberService::Stub::GetMember, request);
    if (!response.ok()) return response.status();
    return response->member();
  }
  absl::StatusOr<v1::Member> FindByPhone(const std::string& phone) const {
    v1::FindMemberRequest request;
    request.set_phone(phone);
    const auto response =
        Call<v1::MemberService>(Operator(), &v1::MemberService::Stub::FindMember, request);
    if (!response.ok()) return response.status();
    return response->member();
  }
  absl::StatusOr<v1::EraseMemberResponse> Erase(const std::string& name) const {
    v1::EraseMemberRequest request;
    request.set_request_id(clients::NewRequestId());
    request.set_name(name);
    return Ask(&v1::PersonService::Stub::EraseMember, request);
  }
  int64_t Count(const std::string& what) const {
    return Query("select count(*) from " + what)[0].Int(0);
  }

  mutable testing::Coalition coalition;
};

template <typename Response>
std::optional<Reason> ReasonOf(const absl::StatusOr<Response>& answer) {
  return guilder::ReasonOf(answer.status());
}

}  // namespace guilder::member
