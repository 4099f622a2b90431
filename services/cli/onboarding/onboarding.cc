#include "services/cli/onboarding/onboarding.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "guilder/partner/v1/partner_service.grpc.pb.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/clients/client.h"
#include "libs/rpc/proto_time.h"
#include "services/cli/onboarding/patient.h"
#include "services/cli/onboarding/request_ids.h"

namespace guilder::cli {
namespace {

namespace v1 = partner::v1;
using Partners = clients::Client<v1::PartnerService>;
using Stub = v1::PartnerService::Stub;

// The partner service as several people use it.
class Office {
 public:
  static absl::StatusOr<Office> Open(const Network& network) {
    GUILDER_ASSIGN_OR_RETURN(const std::string endpoint, network.Endpoint("partner"));
    Office office{clients::Channel(endpoint, "")};
    for (auto& [role, token] : office.tokens_) {
      GUILDER_ASSIGN_OR_RETURN(token, network.Token(role));
    }
    return office;
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> As(const std::string& role,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              const Request& request) const {
    const Partners partners(channel_.WithBearer(tokens_.at(role)));
    return Ask(partners, method, request);
  }

 private:
  explicit Office(clients::Channel channel) : channel_(std::move(channel)) {}

  clients::Channel channel_;
  std::map<std::string, std::string> tokens_ = {
      {"submitter", ""}, {"reviewer", ""}, {"approver", ""}, {"admin", ""}, {"finance", ""}};
};

absl::Status UnlessThere(const absl::Status& status) {
  return ReasonOf(status) == Reason::kAlreadyExists ? absl::OkStatus() : status;
}

// A step that was taken before, perhaps by a call whose answer was lost, is not in its state any
// more.
absl::Status UnlessTaken(const absl::Status& status) {
  return ReasonOf(status) == Reason::kWrongState ? absl::OkStatus() : status;
}

std::string NameOf(const PartnerPlan& plan) {
  return absl::StrCat("partners/", plan.id);
}

absl::Status Create(const Office& office, const PartnerPlan& plan) {
  v1::CreatePartnerRequest request;
  request.set_partner_id(plan.id);
  request.set_programme_operator(plan.programme_operator);
  v1::Partner& partner = *request.mutable_partner();
  partner.set_display_name(plan.display_name);
  partner.set_legal_name(plan.legal_name);
  partner.set_registration_number(plan.registration_number);
  partner.set_tax_id(plan.tax_id);
  partner.set_iban(plan.iban);
  partner.set_merchant_category_code(plan.merchant_category_code);
  return UnlessThere(office.As("submitter", &Stub::CreatePartner, request).status());
}

template <typename Request, typename Response>
absl::Status Step(const Office& office, const std::string& role,
                  grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                  const std::string& partner) {
  Request request;
  request.set_name(partner);
  return UnlessTaken(office.As(role, method, request).status());
}

// The made-up partner's extract from the register.
absl::Status Attach(const Office& office, const PartnerPlan& plan) {
  v1::AttachDocumentRequest request;
  request.set_name(NameOf(plan));
  v1::Document& document = *request.mutable_document();
  document.set_kind("register extract");
  document.set_display_name(absl::StrCat(plan.registration_number, ".pdf"));
  const std::string content = absl::StrCat(plan.registration_number, " ", plan.legal_name);
  document.set_sha256(std::string(AsView(Sha256({content}))));
  return UnlessTaken(office.As("submitter", &Stub::AttachDocument, request).status());
}

absl::Status Review(const Office& office, const PartnerPlan& plan) {
  v1::ReviewPartnerRequest request;
  request.set_name(NameOf(plan));
  request.set_sanctions_result(v1::SANCTIONS_RESULT_CLEAR);
  request.set_sanctions_reference("made-up company: on no list");
  return UnlessTaken(office.As("reviewer", &Stub::ReviewPartner, request).status());
}

absl::Status AddStores(const Office& office, const PartnerPlan& plan, const Terms& terms) {
  for (const std::string& store : plan.stores) {
    v1::CreateStoreRequest request;
    request.set_parent(NameOf(plan));
    request.set_store_id(store);
    request.mutable_store()->set_display_name(absl::StrCat(plan.display_name, ", ", store));
    request.mutable_store()->set_time_zone(terms.time_zone);
    request.mutable_store()->set_open(true);
    GUILDER_RETURN_IF_ERROR(
        UnlessThere(office.As("submitter", &Stub::CreateStore, request).status()));
    for (const std::string& terminal : plan.terminals) {
      v1::RegisterTerminalRequest till;
      till.set_store(absl::StrCat(NameOf(plan), "/stores/", store));
      till.set_terminal_id(terminal);
      GUILDER_RETURN_IF_ERROR(
          UnlessThere(office.As("submitter", &Stub::RegisterTerminal, till).status()));
    }
  }
  return absl::OkStatus();
}

void SetTax(const TaxPlan& plan, guilder::type::v1::TaxTreatment& tax) {
  tax.set_code(plan.code);
  tax.set_rate_ppm(plan.ppm);
}

v1::Contract IssuanceContract(const IssuancePlan& plan, const Terms& terms) {
  v1::Contract contract;
  *contract.mutable_effective_from() = rpc::ToProto(terms.effective_from);
  v1::IssuanceTerms& issuance = *contract.mutable_issuance();
  issuance.set_rate_micros(plan.rate_micros);
  issuance.set_currency_code(terms.currency);
  SetTax(plan.tax, *issuance.mutable_tax());
  issuance.set_billed_at(v1::BILLING_MOMENT_POSTING);
  issuance.mutable_activation()->set_after_days(plan.activation_days);
  issuance.mutable_activation()->set_default_outcome(v1::DEFAULT_OUTCOME_ACTIVATE);
  if (plan.prepaid_points > 0) issuance.set_funding(v1::FUNDING_PREPAID_BLOCK);
  return contract;
}

v1::Contract RedemptionContract(const RedemptionPlan& plan, const Terms& terms) {
  v1::Contract contract;
  *contract.mutable_effective_from() = rpc::ToProto(terms.effective_from);
  v1::RedemptionTerms& redemption = *contract.mutable_redemption();
  redemption.set_rate_micros(plan.rate_micros);
  redemption.set_currency_code(terms.currency);
  SetTax(plan.tax, *redemption.mutable_tax());
  redemption.set_fee_ppm(plan.fee_ppm);
  redemption.set_fee_micros_per_point(plan.fee_micros_per_point);
  SetTax(plan.fee_tax, *redemption.mutable_fee_tax());
  return contract;
}

// The partner's version of that kind that is approved or, failing that, proposed; a name that is
// empty when there is none.
absl::StatusOr<v1::Contract> FindContract(const Office& office, const PartnerPlan& plan,
                                          v1::Contract::TermsCase kind) {
  v1::ListContractsRequest request;
  request.set_parent(NameOf(plan));
  request.set_page_size(1'000);
  GUILDER_ASSIGN_OR_RETURN(const v1::ListContractsResponse list,
                           office.As("submitter", &Stub::ListContracts, request));
  v1::Contract found;
  for (const v1::Contract& contract : list.contracts()) {
    if (contract.terms_case() != kind) continue;
    if (contract.state() == v1::CONTRACT_STATE_APPROVED) return contract;
    found = contract;
  }
  return found;
}

absl::Status Agree(const Office& office, const PartnerPlan& plan, const v1::Contract& wanted) {
  GUILDER_ASSIGN_OR_RETURN(v1::Contract contract, FindContract(office, plan, wanted.terms_case()));
  if (contract.name().empty()) {
    v1::ProposeContractRequest request;
    request.set_parent(NameOf(plan));
    *request.mutable_contract() = wanted;
    GUILDER_ASSIGN_OR_RETURN(const v1::ProposeContractResponse proposed,
                             office.As("submitter", &Stub::ProposeContract, request));
    contract = proposed.contract();
  }
  if (contract.state() == v1::CONTRACT_STATE_APPROVED) return absl::OkStatus();
  v1::ApproveContractRequest request;
  request.set_name(contract.name());
  return UnlessTaken(office.As("approver", &Stub::ApproveContract, request).status());
}

// One block, however often it is asked for.
absl::Status SellBlock(const Office& office, const PartnerPlan& plan, int64_t points) {
  v1::BuyPointBlockRequest request;
  request.set_parent(NameOf(plan));
  request.set_request_id(RequestIdFor("point blocks of onboarded partners", plan.id));
  request.set_points(points);
  return office.As("finance", &Stub::BuyPointBlock, request).status();
}

}  // namespace

std::string MadeUpGermanTaxId(int64_t serial) {
  const std::string digits = absl::StrFormat("%08d", serial);
  int check = 10;
  for (const char digit : digits) {
    const int sum = (check + digit - '0') % 10;
    check = 2 * (sum == 0 ? 10 : sum) % 11;
  }
  return absl::StrCat("DE", digits, (11 - check) % 10);
}

absl::Status Onboard(const Network& network, const PartnerPlan& plan, const Terms& terms) {
  GUILDER_ASSIGN_OR_RETURN(const Office office, Office::Open(network));
  const std::string name = NameOf(plan);
  GUILDER_RETURN_IF_ERROR(Create(office, plan));
  GUILDER_RETURN_IF_ERROR(Attach(office, plan));
  GUILDER_RETURN_IF_ERROR(Step(office, "submitter", &Stub::SubmitPartner, name));
  GUILDER_RETURN_IF_ERROR(Review(office, plan));
  GUILDER_RETURN_IF_ERROR(Step(office, "approver", &Stub::ApprovePartner, name));
  GUILDER_RETURN_IF_ERROR(AddStores(office, plan, terms));
  if (plan.issuance) {
    GUILDER_RETURN_IF_ERROR(Agree(office, plan, IssuanceContract(*plan.issuance, terms)));
    if (plan.issuance->prepaid_points > 0) {
      GUILDER_RETURN_IF_ERROR(SellBlock(office, plan, plan.issuance->prepaid_points));
    }
  }
  if (plan.redemption) {
    GUILDER_RETURN_IF_ERROR(Agree(office, plan, RedemptionContract(*plan.redemption, terms)));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> IssueKey(const Network& network, const std::string& partner_id) {
  GUILDER_ASSIGN_OR_RETURN(const Office office, Office::Open(network));
  v1::IssueCredentialRequest request;
  request.set_parent(absl::StrCat("partners/", partner_id));
  request.set_display_name("tills");
  GUILDER_ASSIGN_OR_RETURN(const v1::IssueCredentialResponse issued,
                           office.As("admin", &Stub::IssueCredential, request));
  return issued.api_key();
}

}  // namespace guilder::cli
