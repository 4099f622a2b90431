// The partner service over a socket, for its tests.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "guilder/partner/v1/partner_service.grpc.pb.h"

#include "libs/clients/client.h"
#include "libs/rpc/proto_time.h"
#include "services/partner/rpc/partner_service.h"
#include "tests/support/catch2.h"
#include "tests/support/service_network.h"

namespace guilder::partner {

using Stub = v1::PartnerService::Stub;
using testing::InDays;

inline constexpr char kIban[] = "DE89370400440532013000";

inline clients::RetryPolicy Once() {
  clients::RetryPolicy policy;
  policy.max_attempts = 1;
  return policy;
}

// One caller. Calls are not repeated.
class Caller {
 public:
  explicit Caller(clients::Channel channel) : client_(std::move(channel)) {}

  template <typename Request, typename Response>
  absl::StatusOr<Response> Try(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
                               const Request& request) const {
    return client_.Invoke(method, request, Once());
  }
  // The answer; a refusal fails the test.
  template <typename Request, typename Response>
  Response Get(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
               const Request& request) const {
    auto answer = Try(method, request);
    if (!answer.ok()) FAIL(answer.status().ToString());
    return *std::move(answer);
  }
  // Why it was refused; nothing when it was not.
  template <typename Request, typename Response>
  std::optional<Reason> Refusal(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request) const {
    return ReasonOf(Try(method, request).status());
  }

 private:
  clients::Client<v1::PartnerService> client_;
};

inline v1::CreatePartnerRequest ACreation(const std::string& id) {
  v1::CreatePartnerRequest request;
  request.set_partner_id(id);
  v1::Partner& partner = *request.mutable_partner();
  partner.set_display_name("Shop " + id);
  partner.set_legal_name("Shop GmbH");
  partner.set_registration_number("HRB 4711");
  partner.set_tax_id("DE136695976");
  partner.set_iban(kIban);
  partner.set_merchant_category_code("5411");
  return request;
}

template <typename Request>
Request Named(const std::string& name) {
  Request request;
  request.set_name(name);
  return request;
}

inline v1::AttachDocumentRequest ADocument(const std::string& name, char fill = 'x') {
  auto request = Named<v1::AttachDocumentRequest>(name);
  request.mutable_document()->set_kind("register extract");
  request.mutable_document()->set_display_name("HRB 4711.pdf");
  request.mutable_document()->set_sha256(std::string(32, fill));
  return request;
}

inline v1::ReviewPartnerRequest AReview(const std::string& name) {
  auto request = Named<v1::ReviewPartnerRequest>(name);
  request.set_sanctions_result(v1::SANCTIONS_RESULT_CLEAR);
  request.set_sanctions_reference("EU consolidated list of 2026-11-01, no match");
  return request;
}

template <typename Request>
Request Below(const std::string& parent) {
  Request request;
  request.set_parent(parent);
  return request;
}

inline v1::CreateStoreRequest AStore(const std::string& parent, const std::string& id) {
  auto request = Below<v1::CreateStoreRequest>(parent);
  request.set_store_id(id);
  request.mutable_store()->set_display_name("Market");
  request.mutable_store()->set_time_zone("Europe/Berlin");
  return request;
}

inline v1::ProposeContractRequest AnIssuanceContract(const std::string& parent, Timestamp from) {
  auto request = Below<v1::ProposeContractRequest>(parent);
  v1::Contract& contract = *request.mutable_contract();
  *contract.mutable_effective_from() = rpc::ToProto(from);
  v1::IssuanceTerms& terms = *contract.mutable_issuance();
  terms.set_rate_micros(10'000);
  terms.set_currency_code("EUR");
  terms.mutable_tax()->set_code("DE-S19");
  terms.mutable_tax()->set_rate_ppm(190'000);
  terms.set_billed_at(v1::BILLING_MOMENT_ACTIVATION);
  terms.mutable_activation()->set_after_days(14);
  terms.mutable_activation()->set_default_outcome(v1::DEFAULT_OUTCOME_CANCEL);
  terms.set_lot_life_days(730);
  terms.set_funding(v1::FUNDING_POSTPAID);
  terms.set_points_use(v1::POINTS_USE_ANYWHERE);
  return request;
}

inline v1::ProposeContractRequest ARedemptionContract(const std::string& parent, Timestamp from) {
  auto request = Below<v1::ProposeContractRequest>(parent);
  v1::Contract& contract = *request.mutable_contract();
  *contract.mutable_effective_from() = rpc::ToProto(from);
  v1::RedemptionTerms& terms = *contract.mutable_redemption();
  terms.set_rate_micros(9'000);
  terms.set_currency_code("EUR");
  terms.mutable_tax()->set_code("OUTSIDE");
  terms.set_fee_ppm(20'000);
  terms.set_fee_micros_per_point(5);
  terms.mutable_fee_tax()->set_code("DE-S19");
  terms.mutable_fee_tax()->set_rate_ppm(190'000);
  terms.set_minimum_points(100);
  terms.set_step_points(50);
  terms.set_maximum_share_per_mille(500);
  terms.add_excluded_categories("tobacco");
  terms.add_excluded_skus("4711");
  return request;
}

inline v1::IssueCredentialRequest ACredential(const std::string& parent) {
  auto request = Below<v1::IssueCredentialRequest>(parent);
  request.set_display_name("tills");
  return request;
}

// A network that serves partners, and its people.
struct World {
  explicit World(const std::string& mode = "DEVELOPMENT") : network(OfMode(mode)) {
    auto service = MakePartnerService({network.runtime(), network.pool(), network.secrets()});
    REQUIRE(service.ok());
    network.Add(*std::move(service), kPartnerServiceName);
    network.Start();
  }
  static testing::ServiceNetwork::Options OfMode(const std::string& mode) {
    testing::ServiceNetwork::Options options;
    options.mode = mode;
    return options;
  }

  Caller By(const std::string& operator_id) const {
    return Caller(network.AsOperator(operator_id));
  }
  std::string Draft(const std::string& id) const {
    const std::string name = By("anna").Get(&Stub::CreatePartner, ACreation(id)).partner().name();
    By("anna").Get(&Stub::AttachDocument, ADocument(name));
    return name;
  }
  std::string Active(const std::string& id) const {
    const std::string name = Draft(id);
    By("anna").Get(&Stub::SubmitPartner, Named<v1::SubmitPartnerRequest>(name));
    By("bert").Get(&Stub::ReviewPartner, AReview(name));
    By("cleo").Get(&Stub::ApprovePartner, Named<v1::ApprovePartnerRequest>(name));
    return name;
  }
  std::string Propose(const v1::ProposeContractRequest& request) const {
    return By("anna").Get(&Stub::ProposeContract, request).contract().name();
  }
  std::optional<Reason> Approve(const std::string& contract) const {
    return By("bert").Refusal(&Stub::ApproveContract, Named<v1::ApproveContractRequest>(contract));
  }
  v1::Partner Read(const std::string& name) const {
    return By("auditor").Get(&Stub::GetPartner, Named<v1::GetPartnerRequest>(name)).partner();
  }

  testing::ServiceNetwork network;
};

}  // namespace guilder::partner
