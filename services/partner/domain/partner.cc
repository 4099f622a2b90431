#include "services/partner/domain/partner.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/iso20022/iban.h"
#include "services/partner/domain/names.h"
#include "services/partner/domain/vat_number.h"

namespace guilder::partner {
namespace {

constexpr std::array<std::pair<PartnerState, std::string_view>, 7> kStateNames{{
    {PartnerState::kDraft, "DRAFT"},
    {PartnerState::kSubmitted, "SUBMITTED"},
    {PartnerState::kInReview, "IN_REVIEW"},
    {PartnerState::kActive, "ACTIVE"},
    {PartnerState::kSuspended, "SUSPENDED"},
    {PartnerState::kTerminating, "TERMINATING"},
    {PartnerState::kTerminated, "TERMINATED"},
}};

using Signature = std::string Partner::*;

// One line of a partner's life. A step that leaves a signature may be taken by nobody who left one
// before: three people bring a partner in.
struct Transition {
  Step step;
  PartnerState from;
  PartnerState to;
  Signature signature = nullptr;
};

constexpr std::array<Transition, 10> kTransitions{{
    {Step::kSubmit, PartnerState::kDraft, PartnerState::kSubmitted, &Partner::submitted_by},
    {Step::kReview, PartnerState::kSubmitted, PartnerState::kInReview, &Partner::reviewed_by},
    {Step::kApprove, PartnerState::kInReview, PartnerState::kActive, &Partner::approved_by},
    {Step::kReject, PartnerState::kSubmitted, PartnerState::kDraft},
    {Step::kReject, PartnerState::kInReview, PartnerState::kDraft},
    {Step::kSuspend, PartnerState::kActive, PartnerState::kSuspended},
    {Step::kReinstate, PartnerState::kSuspended, PartnerState::kActive},
    {Step::kTerminate, PartnerState::kActive, PartnerState::kTerminating},
    {Step::kTerminate, PartnerState::kSuspended, PartnerState::kTerminating},
    {Step::kEnd, PartnerState::kTerminating, PartnerState::kTerminated},
}};

constexpr std::array<Signature, 3> kSignatures{&Partner::submitted_by, &Partner::reviewed_by,
                                               &Partner::approved_by};

absl::Status WrongState(const Partner& partner, std::string what = {}) {
  return Refuse(Reason::kWrongState, what, {{"state", std::string(StateName(partner.state))}});
}

absl::Status CheckComplete(const Partner& partner) {
  std::vector<std::string> missing;
  for (const DetailField& field : DetailFields()) {
    if ((partner.details.*field.value).empty()) missing.push_back(field.name);
  }
  if (partner.evidence.documents.empty()) missing.push_back("documents");
  if (missing.empty()) return absl::OkStatus();
  const std::string fields = absl::StrJoin(missing, ",");
  return Refuse(Reason::kRequestMalformed,
                absl::StrCat("the partner cannot be submitted without ", fields),
                {{"missing", fields}});
}

// Nothing that was looked at is what it was any more.
void BackToDraft(Partner& partner) {
  partner.state = PartnerState::kDraft;
  partner.submitted_by.clear();
  partner.reviewed_by.clear();
  partner.approved_by.clear();
  partner.evidence.sanctions = SanctionsResult::kNotScreened;
  partner.evidence.sanctions_reference.clear();
  partner.evidence.reviewed_at.reset();
}

bool BeforeApproval(PartnerState state) {
  return state == PartnerState::kDraft || state == PartnerState::kSubmitted ||
         state == PartnerState::kInReview;
}

}  // namespace

std::string_view StateName(PartnerState state) {
  for (const auto& [value, name] : kStateNames) {
    if (value == state) return name;
  }
  return {};
}

std::optional<PartnerState> StateFromName(std::string_view name) {
  for (const auto& [value, text] : kStateNames) {
    if (text == name) return value;
  }
  return std::nullopt;
}

const std::vector<DetailField>& DetailFields() {
  static const auto& fields = *new std::vector<DetailField>{
      {"display_name", &PartnerDetails::display_name, false},
      {"legal_name", &PartnerDetails::legal_name, true},
      {"registration_number", &PartnerDetails::registration_number, false},
      {"tax_id", &PartnerDetails::tax_id, false},
      {"iban", &PartnerDetails::iban, true},
      {"merchant_category_code", &PartnerDetails::merchant_category_code, false},
  };
  return fields;
}

absl::Status CheckDetails(const PartnerDetails& details) {
  for (const DetailField& field : DetailFields()) {
    GUILDER_RETURN_IF_ERROR(CheckText(field.name, details.*field.value));
  }
  if (details.display_name.empty()) {
    return Refuse(Reason::kRequestMalformed, "display_name is missing",
                  {{"field", "display_name"}});
  }
  if (!details.merchant_category_code.empty()) {
    GUILDER_RETURN_IF_ERROR(CheckMerchantCategoryCode(details.merchant_category_code));
  }
  GUILDER_RETURN_IF_ERROR(CheckVatNumber(details.tax_id));
  if (!details.iban.empty()) GUILDER_RETURN_IF_ERROR(iso20022::CheckIban(details.iban));
  return absl::OkStatus();
}

absl::StatusOr<Partner> TakeStep(Step step, Partner partner, const std::string& actor) {
  const Transition* taken = nullptr;
  for (const Transition& transition : kTransitions) {
    if (transition.step == step && transition.from == partner.state) taken = &transition;
  }
  if (taken == nullptr) return WrongState(partner);
  if (step == Step::kSubmit) GUILDER_RETURN_IF_ERROR(CheckComplete(partner));
  if (step == Step::kApprove && partner.evidence.sanctions != SanctionsResult::kClear) {
    return Refuse(Reason::kSanctionsHit);
  }
  if (taken->signature != nullptr) {
    for (const Signature earlier : kSignatures) {
      if (partner.*earlier == actor) return Refuse(Reason::kSamePerson);
    }
    partner.*(taken->signature) = actor;
  }
  partner.state = taken->to;
  if (step == Step::kReject) BackToDraft(partner);
  return partner;
}

absl::StatusOr<Partner> ChangeDetails(Partner partner, const PartnerDetails& wanted,
                                      const std::vector<DetailField>& fields) {
  if (partner.state == PartnerState::kTerminated) return WrongState(partner);
  PartnerDetails changed = partner.details;
  for (const DetailField& field : fields) changed.*field.value = wanted.*field.value;
  if (changed == partner.details) return partner;

  if (BeforeApproval(partner.state)) {
    BackToDraft(partner);
  } else {
    for (const DetailField& field : DetailFields()) {
      if (changed.*field.value == partner.details.*field.value) continue;
      if (field.reviewed || (changed.*field.value).empty()) {
        return WrongState(
            partner, absl::StrCat(field.name, field.reviewed ? " was reviewed and does not change"
                                                             : " cannot become empty"));
      }
    }
  }
  partner.details = std::move(changed);
  return partner;
}

absl::StatusOr<Partner> ReviewPartner(Partner partner, SanctionsResult sanctions,
                                      const std::string& reference, const std::string& actor,
                                      Timestamp now) {
  if (sanctions == SanctionsResult::kNotScreened) {
    return Refuse(Reason::kRequestMalformed, "the company was not screened",
                  {{"field", "sanctions_result"}});
  }
  GUILDER_RETURN_IF_ERROR(CheckRequiredText("sanctions_reference", reference));
  GUILDER_ASSIGN_OR_RETURN(Partner reviewed, TakeStep(Step::kReview, std::move(partner), actor));
  reviewed.evidence.sanctions = sanctions;
  reviewed.evidence.sanctions_reference = reference;
  reviewed.evidence.reviewed_at = now;
  return reviewed;
}

absl::Status CheckReviewIsFresh(const Partner& partner, Timestamp now) {
  const auto& reviewed_at = partner.evidence.reviewed_at;
  constexpr int64_t kLongest = int64_t{kReviewDays} * 86'400'000'000;
  if (!reviewed_at || now.value() - reviewed_at->value() <= kLongest) return absl::OkStatus();
  return Refuse(Reason::kApprovalExpired, "the review is too old");
}

absl::StatusOr<Partner> AttachDocument(Partner partner, Document document) {
  GUILDER_RETURN_IF_ERROR(CheckRequiredText("kind", document.kind));
  GUILDER_RETURN_IF_ERROR(CheckRequiredText("display_name", document.display_name));
  if (!BeforeApproval(partner.state)) return WrongState(partner);
  for (const Document& known : partner.evidence.documents) {
    if (known.sha256 == document.sha256) return partner;
  }
  if (partner.evidence.documents.size() >= kMostDocuments) {
    return Refuse(Reason::kRequestMalformed, "the partner has too many documents",
                  {{"field", "document"}});
  }
  BackToDraft(partner);
  partner.evidence.documents.push_back(std::move(document));
  return partner;
}

absl::Status CheckRunOffIsOver(const Partner& partner, Timestamp now) {
  if (!partner.run_off || now >= partner.run_off->final_settlement) return absl::OkStatus();
  return Refuse(Reason::kWrongState, "the run-off is not over",
                {{"final_settlement_time", FormatTimestamp(partner.run_off->final_settlement)}});
}

bool HasLeft(const Partner& partner, Timestamp now) {
  if (partner.state == PartnerState::kTerminated) return true;
  return partner.state == PartnerState::kTerminating && CheckRunOffIsOver(partner, now).ok();
}

absl::Status CheckMayHoldKeys(const Partner& partner) {
  return partner.state == PartnerState::kTerminated ? WrongState(partner) : absl::OkStatus();
}

}  // namespace guilder::partner
