#include "services/partner/rpc/partner_proto.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/rpc/names.h"
#include "libs/rpc/proto_time.h"
#include "services/partner/rpc/partner_handlers.h"

namespace guilder::partner {
namespace {

absl::Status Malformed(const std::string& field, const std::string& what) {
  return Refuse(Reason::kRequestMalformed, absl::StrCat(field, " ", what), {{"field", field}});
}

type::v1::TaxTreatment ToProto(const Tax& tax) {
  type::v1::TaxTreatment out;
  out.set_code(tax.code);
  out.set_rate_ppm(tax.ppm);
  return out;
}

v1::Funding ToProto(Funding funding) {
  switch (funding) {
    case Funding::kPostpaid:
      return v1::FUNDING_POSTPAID;
    case Funding::kPrepaidBlock:
      return v1::FUNDING_PREPAID_BLOCK;
    case Funding::kPostpaidAtRedemption:
      return v1::FUNDING_POSTPAID_AT_REDEMPTION;
    case Funding::kHybrid:
      return v1::FUNDING_HYBRID;
  }
  return v1::FUNDING_UNSPECIFIED;
}

// Issuance and redemption name the parts of a fee alike. One that there is not is left out.
template <typename Out>
void SetFee(const Fee& fee, Out& out) {
  out.set_fee_ppm(fee.ppm);
  out.set_fee_micros_per_point(fee.micros_per_point);
  out.set_fee_per_window_minor_units(fee.per_window_minor_units);
  if (!fee.tax.code.empty()) *out.mutable_fee_tax() = ToProto(fee.tax);
}

void SetTerms(const IssuanceTerms& terms, v1::Contract& out) {
  v1::IssuanceTerms& issuance = *out.mutable_issuance();
  issuance.set_rate_micros(terms.rate_micros);
  issuance.set_currency_code(terms.currency);
  *issuance.mutable_tax() = ToProto(terms.tax);
  issuance.set_billed_at(terms.billed_at == BillingMoment::kPosting
                             ? v1::BILLING_MOMENT_POSTING
                             : v1::BILLING_MOMENT_ACTIVATION);
  issuance.mutable_activation()->set_after_days(terms.activation_days);
  issuance.mutable_activation()->set_default_outcome(
      terms.default_outcome == DefaultOutcome::kActivate ? v1::DEFAULT_OUTCOME_ACTIVATE
                                                         : v1::DEFAULT_OUTCOME_CANCEL);
  issuance.set_lot_life_days(terms.lot_life_days);
  issuance.set_funding(ToProto(terms.funding));
  // The enumerators follow each other alike.
  issuance.set_points_use(static_cast<v1::PointsUse>(static_cast<int>(terms.points_use) + 1));
  for (const std::string& slug : terms.points_use_partners) {
    issuance.add_points_use_partners(rpc::FormatName(kPartnerName, {slug}));
  }
  issuance.set_reserve_ppm(terms.reserve_ppm);
  issuance.set_breakage_ppm(terms.breakage_ppm);
  SetFee(terms.fee, issuance);
  if (terms.funding == Funding::kPrepaidBlock) {
    issuance.set_when_exhausted(terms.when_exhausted == ExhaustionPolicy::kRefuse
                                    ? v1::EXHAUSTION_POLICY_REFUSE
                                    : v1::EXHAUSTION_POLICY_ISSUE_NOTHING);
  }
}

void SetTerms(const RedemptionTerms& terms, v1::Contract& out) {
  v1::RedemptionTerms& redemption = *out.mutable_redemption();
  redemption.set_rate_micros(terms.rate_micros);
  redemption.set_currency_code(terms.currency);
  *redemption.mutable_tax() = ToProto(terms.tax);
  SetFee(terms.fee, redemption);
  redemption.set_minimum_payout_minor_units(terms.minimum_payout_minor_units);
  redemption.set_minimum_points(terms.minimum_points);
  redemption.set_step_points(terms.step_points);
  redemption.set_maximum_share_per_mille(terms.maximum_share_per_mille);
  for (const std::string& category : terms.excluded_categories) {
    redemption.add_excluded_categories(category);
  }
  for (const std::string& sku : terms.excluded_skus) redemption.add_excluded_skus(sku);
}

Tax FromProto(const type::v1::TaxTreatment& tax) {
  return {tax.code(), tax.rate_ppm()};
}

template <typename In>
Fee FeeFromProto(const In& in) {
  return {in.fee_ppm(), in.fee_micros_per_point(), in.fee_per_window_minor_units(),
          FromProto(in.fee_tax())};
}

absl::Status SetFunding(const v1::IssuanceTerms& issuance, IssuanceTerms& terms) {
  switch (issuance.funding()) {
    case v1::FUNDING_UNSPECIFIED:
    case v1::FUNDING_POSTPAID:
    case v1::FUNDING_POSTPAID_AT_REDEMPTION:
    case v1::FUNDING_HYBRID:
      if (issuance.funding() == v1::FUNDING_POSTPAID_AT_REDEMPTION) {
        terms.funding = Funding::kPostpaidAtRedemption;
      }
      if (issuance.funding() == v1::FUNDING_HYBRID) terms.funding = Funding::kHybrid;
      if (issuance.when_exhausted() != v1::EXHAUSTION_POLICY_UNSPECIFIED) {
        return Malformed("when_exhausted", "is of contracts that PREPAID_BLOCK funds");
      }
      return absl::OkStatus();
    case v1::FUNDING_PREPAID_BLOCK:
      terms.funding = Funding::kPrepaidBlock;
      break;
    default:
      return Malformed("funding", "is a way to pay for points");
  }
  switch (issuance.when_exhausted()) {
    case v1::EXHAUSTION_POLICY_UNSPECIFIED:
    case v1::EXHAUSTION_POLICY_REFUSE:
      return absl::OkStatus();
    case v1::EXHAUSTION_POLICY_ISSUE_NOTHING:
      terms.when_exhausted = ExhaustionPolicy::kIssueNothing;
      return absl::OkStatus();
    default:
      return Malformed("when_exhausted", "is REFUSE or ISSUE_NOTHING");
  }
}

absl::StatusOr<PointsUse> FromProto(v1::PointsUse use) {
  switch (use) {
    case v1::POINTS_USE_UNSPECIFIED:
    case v1::POINTS_USE_ANYWHERE:
      return PointsUse::kAnywhere;
    case v1::POINTS_USE_AT_ISSUER:
      return PointsUse::kAtIssuer;
    case v1::POINTS_USE_GIFTS:
      return PointsUse::kGifts;
    case v1::POINTS_USE_AT_PARTNERS:
      return PointsUse::kAtPartners;
    default:
      return Malformed("points_use", "is ANYWHERE, AT_ISSUER, GIFTS or AT_PARTNERS");
  }
}

absl::StatusOr<std::vector<std::string>> SlugsFromProto(
    const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::set<std::string> slugs;
  for (const std::string& name : names) {
    const auto parts = rpc::ParseName(kPartnerName, name);
    if (!parts) return Malformed("points_use_partners", "are partners/{partner_id}");
    if (!slugs.insert(parts->front()).second) {
      return Malformed("points_use_partners", "name one twice");
    }
  }
  return std::vector<std::string>(slugs.begin(), slugs.end());
}

absl::StatusOr<Terms> TermsFromProto(const v1::IssuanceTerms& issuance) {
  IssuanceTerms terms;
  GUILDER_ASSIGN_OR_RETURN(terms.points_use, FromProto(issuance.points_use()));
  GUILDER_ASSIGN_OR_RETURN(terms.points_use_partners,
                           SlugsFromProto(issuance.points_use_partners()));
  terms.rate_micros = issuance.rate_micros();
  terms.currency = issuance.currency_code();
  terms.tax = FromProto(issuance.tax());
  switch (issuance.billed_at()) {
    case v1::BILLING_MOMENT_POSTING:
      terms.billed_at = BillingMoment::kPosting;
      break;
    case v1::BILLING_MOMENT_ACTIVATION:
      terms.billed_at = BillingMoment::kActivation;
      break;
    default:
      return Malformed("billed_at", "is POSTING or ACTIVATION");
  }
  terms.activation_days = issuance.activation().after_days();
  switch (issuance.activation().default_outcome()) {
    case v1::DEFAULT_OUTCOME_UNSPECIFIED:
    case v1::DEFAULT_OUTCOME_ACTIVATE:
      terms.default_outcome = DefaultOutcome::kActivate;
      break;
    case v1::DEFAULT_OUTCOME_CANCEL:
      terms.default_outcome = DefaultOutcome::kCancel;
      break;
    default:
      return Malformed("activation.default_outcome", "is ACTIVATE or CANCEL");
  }
  terms.lot_life_days = issuance.lot_life_days();
  GUILDER_RETURN_IF_ERROR(SetFunding(issuance, terms));
  terms.reserve_ppm = issuance.reserve_ppm();
  terms.breakage_ppm = issuance.breakage_ppm();
  terms.fee = FeeFromProto(issuance);
  return terms;
}

// In order, each once.
template <typename Repeated>
std::vector<std::string> Goods(const Repeated& texts) {
  const std::set<std::string> goods(texts.begin(), texts.end());
  return {goods.begin(), goods.end()};
}

Terms TermsFromProto(const v1::RedemptionTerms& redemption) {
  RedemptionTerms terms;
  terms.rate_micros = redemption.rate_micros();
  terms.currency = redemption.currency_code();
  terms.tax = FromProto(redemption.tax());
  terms.fee = FeeFromProto(redemption);
  terms.minimum_payout_minor_units = redemption.minimum_payout_minor_units();
  terms.minimum_points = redemption.minimum_points();
  terms.step_points = redemption.step_points();
  if (redemption.maximum_share_per_mille() != 0) {
    terms.maximum_share_per_mille = redemption.maximum_share_per_mille();
  }
  terms.excluded_categories = Goods(redemption.excluded_categories());
  terms.excluded_skus = Goods(redemption.excluded_skus());
  return terms;
}

void SetEvidence(const Evidence& evidence, v1::Evidence& out) {
  for (const Document& document : evidence.documents) {
    v1::Document& added = *out.add_documents();
    added.set_kind(document.kind);
    added.set_display_name(document.display_name);
    added.set_sha256(std::string(AsView(document.sha256)));
    added.set_attached_by(document.attached_by);
    *added.mutable_attach_time() = rpc::ToProto(document.attached_at);
  }
  // The enumerators follow each other alike.
  out.set_sanctions_result(static_cast<v1::SanctionsResult>(evidence.sanctions));
  out.set_sanctions_reference(evidence.sanctions_reference);
  if (evidence.reviewed_at) *out.mutable_review_time() = rpc::ToProto(*evidence.reviewed_at);
  if (evidence.approved_at) *out.mutable_approve_time() = rpc::ToProto(*evidence.approved_at);
}

}  // namespace

v1::Partner ToProto(const Partner& partner) {
  v1::Partner out;
  out.set_name(rpc::FormatName(kPartnerName, {partner.slug}));
  out.set_display_name(partner.details.display_name);
  out.set_legal_name(partner.details.legal_name);
  out.set_registration_number(partner.details.registration_number);
  out.set_tax_id(partner.details.tax_id);
  out.set_iban(partner.details.iban);
  out.set_merchant_category_code(partner.details.merchant_category_code);
  v1::PartnerState state = v1::PARTNER_STATE_UNSPECIFIED;
  v1::PartnerState_Parse("PARTNER_STATE_" + std::string(StateName(partner.state)), &state);
  out.set_state(state);
  out.set_submitted_by(partner.submitted_by);
  out.set_reviewed_by(partner.reviewed_by);
  out.set_approved_by(partner.approved_by);
  out.set_programme_operator(partner.programme_operator);
  out.set_etag(Etag(partner));
  SetEvidence(partner.evidence, *out.mutable_evidence());
  if (partner.run_off) {
    *out.mutable_run_off() = ToProto(*partner.run_off);
  }
  return out;
}

v1::Store ToProto(const std::string& partner_slug, const Store& store) {
  v1::Store out;
  out.set_name(rpc::FormatName(kStoreName, {partner_slug, store.code}));
  out.set_display_name(store.display_name);
  out.set_time_zone(store.time_zone);
  out.set_open(store.open);
  out.set_address(store.address);
  out.set_region(store.region);
  out.set_unknown_terminals(store.any_terminal ? v1::UNKNOWN_TERMINALS_ACCEPT
                                               : v1::UNKNOWN_TERMINALS_REFUSE);
  for (const std::string& terminal : store.terminals) out.add_terminals(terminal);
  return out;
}

v1::Contract ToProto(const std::string& partner_slug, const Contract& contract) {
  v1::Contract out;
  out.set_name(rpc::FormatName(kContractName, {partner_slug, std::to_string(contract.number)}));
  // The enumerators follow each other alike; the wire's begin with 1.
  out.set_state(static_cast<v1::ContractState>(static_cast<int>(contract.state) + 1));
  out.set_notice_days(contract.notice_days);
  if (contract.state == ContractState::kProposed) out.set_etag(ContractEtag(contract));
  if (const auto deadline = ApprovalDeadline(contract)) {
    *out.mutable_approval_deadline() = rpc::ToProto(*deadline);
  }
  *out.mutable_effective_from() = rpc::ToProto(contract.period.from);
  if (contract.period.until) *out.mutable_effective_until() = rpc::ToProto(*contract.period.until);
  std::visit([&](const auto& terms) { SetTerms(terms, out); }, contract.terms);
  out.set_proposed_by(contract.proposed_by);
  out.set_approved_by(contract.approved_by);
  return out;
}

v1::Credential ToProto(const std::string& partner_slug, const Credential& credential) {
  v1::Credential out;
  out.set_name(rpc::FormatName(kCredentialName, {partner_slug, credential.id}));
  out.set_display_name(credential.display_name);
  *out.mutable_create_time() = rpc::ToProto(credential.created_at);
  if (credential.expires_at) *out.mutable_expire_time() = rpc::ToProto(*credential.expires_at);
  if (credential.revoked_at) *out.mutable_revoke_time() = rpc::ToProto(*credential.revoked_at);
  for (int i = 0; i < security::kScopeCount; ++i) {
    // The enumerators follow each other alike; the wire's begin with 1.
    if (credential.scopes.Has(static_cast<security::Scope>(i))) {
      out.add_scopes(static_cast<v1::CredentialScope>(i + 1));
    }
  }
  for (const std::string& store : credential.stores) {
    out.add_stores(rpc::FormatName(kStoreName, {partner_slug, store}));
  }
  out.set_calls_per_second(credential.calls_per_second);
  if (credential.certificate) out.set_certificate_sha256(ToHex(AsView(*credential.certificate)));
  if (credential.last_used_at)
    *out.mutable_last_use_time() = rpc::ToProto(*credential.last_used_at);
  return out;
}

// The enumerators of the wire stand in the same order.
v1::BlockEnding ToProto(BlockEnding ending) {
  return static_cast<v1::BlockEnding>(ending);
}

absl::StatusOr<BlockEnding> EndingFromProto(v1::BlockEnding ending, const char* field) {
  if (ending >= v1::BLOCK_ENDING_UNSPECIFIED && ending <= v1::BLOCK_ENDING_FORFEIT) {
    return static_cast<BlockEnding>(ending);
  }
  return Refuse(Reason::kRequestMalformed, "no such ending", {{"field", field}});
}

v1::PointBlock ToProto(const std::string& partner_slug, const PointBlock& block) {
  v1::PointBlock out;
  out.set_name(rpc::FormatName(kPointBlockName, {partner_slug, std::to_string(block.number)}));
  out.set_points(block.points.value());
  *out.mutable_buy_time() = rpc::ToProto(block.bought_at);
  out.set_sold_by(block.sold_by);
  if (block.contract != 0) {
    out.set_contract(
        rpc::FormatName(kContractName, {partner_slug, std::to_string(block.contract)}));
  }
  if (block.ends_at) *out.mutable_end_time() = rpc::ToProto(*block.ends_at);
  out.set_when_ended(ToProto(block.when_ended));
  out.set_reserve(block.reserve);
  return out;
}

PartnerDetails DetailsFromProto(const v1::Partner& partner) {
  PartnerDetails details;
  details.display_name = partner.display_name();
  details.legal_name = partner.legal_name();
  details.registration_number = partner.registration_number();
  details.tax_id = partner.tax_id();
  details.iban = partner.iban();
  details.merchant_category_code = partner.merchant_category_code();
  return details;
}

absl::StatusOr<Document> DocumentFromProto(const v1::Document& document) {
  Document out;
  out.kind = document.kind();
  out.display_name = document.display_name();
  if (document.sha256().size() != out.sha256.size()) {
    return Malformed("document.sha256", "has 32 bytes");
  }
  std::copy(document.sha256().begin(), document.sha256().end(), out.sha256.begin());
  return out;
}

absl::StatusOr<AskedRunOff> RunOffFromProto(const v1::TerminatePartnerRequest& request) {
  AskedRunOff asked;
  asked.for_cause = request.for_cause();
  const v1::RunOff& given = request.run_off();
  const auto read = [](bool present, const google::protobuf::Timestamp& time, const char* field,
                       std::optional<Timestamp>& into) -> absl::Status {
    if (!present) return absl::OkStatus();
    into = rpc::FromProto(time);
    return into ? absl::OkStatus() : Malformed(field, "is out of range");
  };
  GUILDER_RETURN_IF_ERROR(read(given.has_last_issue_time(), given.last_issue_time(),
                               "last_issue_time", asked.last_issue));
  GUILDER_RETURN_IF_ERROR(read(given.has_last_redemption_time(), given.last_redemption_time(),
                               "last_redemption_time", asked.last_redemption));
  GUILDER_RETURN_IF_ERROR(read(given.has_last_return_time(), given.last_return_time(),
                               "last_return_time", asked.last_return));
  GUILDER_RETURN_IF_ERROR(read(given.has_final_settlement_time(), given.final_settlement_time(),
                               "final_settlement_time", asked.final_settlement));
  return asked;
}

v1::RunOff ToProto(const RunOff& run_off) {
  v1::RunOff out;
  *out.mutable_last_issue_time() = rpc::ToProto(run_off.last_issue);
  *out.mutable_last_redemption_time() = rpc::ToProto(run_off.last_redemption);
  *out.mutable_last_return_time() = rpc::ToProto(run_off.last_return);
  *out.mutable_final_settlement_time() = rpc::ToProto(run_off.final_settlement);
  return out;
}

std::string Etag(const Partner& partner) {
  return absl::StrCat("r", partner.revision);
}

absl::StatusOr<Contract> ContractFromProto(const v1::Contract& contract) {
  Contract out;
  const std::optional<Timestamp> from = rpc::FromProto(contract.effective_from());
  if (!contract.has_effective_from() || !from) {
    return Malformed("effective_from", "is missing or out of range");
  }
  out.period.from = *from;
  if (contract.has_effective_until()) {
    out.period.until = rpc::FromProto(contract.effective_until());
    if (!out.period.until) return Malformed("effective_until", "is out of range");
  }
  if (contract.has_issuance()) {
    GUILDER_ASSIGN_OR_RETURN(out.terms, TermsFromProto(contract.issuance()));
  } else if (contract.has_redemption()) {
    out.terms = TermsFromProto(contract.redemption());
  } else {
    return Malformed("terms", "are missing: issuance or redemption");
  }
  out.notice_days = contract.notice_days();
  return out;
}

absl::StatusOr<std::vector<DetailField>> FieldsFromMask(const google::protobuf::FieldMask& mask) {
  std::vector<DetailField> fields;
  for (const std::string& path : mask.paths()) {
    const auto& all = DetailFields();
    const auto field = std::find_if(all.begin(), all.end(),
                                    [&](const DetailField& known) { return known.name == path; });
    if (field == all.end()) return Malformed("update_mask", "names a field that does not change");
    fields.push_back(*field);
  }
  if (fields.empty()) return Malformed("update_mask", "names no field");
  return fields;
}

}  // namespace guilder::partner
