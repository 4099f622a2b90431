// A partner, and the steps of its life.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/partner/domain/run_off.h"

namespace guilder::partner {

enum class PartnerState {
  kDraft,
  kSubmitted,
  kInReview,
  kActive,
  kSuspended,
  kTerminating,
  kTerminated,
};

// "IN_REVIEW", as in partner.partners.state and the wire's enumerator.
std::string_view StateName(PartnerState state);
std::optional<PartnerState> StateFromName(std::string_view name);

// What operators state about a partner.
struct PartnerDetails {
  std::string display_name;
  std::string legal_name;
  std::string registration_number;
  std::string tax_id;
  std::string iban;
  std::string merchant_category_code;

  friend bool operator==(const PartnerDetails&, const PartnerDetails&) = default;
};

// The fields of PartnerDetails, by the names of the wire and of the table.
struct DetailField {
  const char* name;
  std::string PartnerDetails::*value;
  // Names the company or sends its money elsewhere: it was reviewed, and does not change after the
  // approval.
  bool reviewed;
};
const std::vector<DetailField>& DetailFields();

// What a screening against sanctions lists said; the names stand in the table.
enum class SanctionsResult { kNotScreened, kClear, kHit };

// A document that is kept elsewhere.
struct Document {
  std::string kind;
  std::string display_name;
  Digest sha256{};
  std::string attached_by;
  Timestamp attached_at;
};

inline constexpr size_t kMostDocuments = 50;

// What the review looked at, and when it was.
struct Evidence {
  std::vector<Document> documents;
  SanctionsResult sanctions = SanctionsResult::kNotScreened;
  std::string sanctions_reference;
  std::optional<Timestamp> reviewed_at;
  std::optional<Timestamp> approved_at;
};

struct Partner {
  PartnerId id;
  std::string slug;
  PartnerDetails details;
  PartnerState state = PartnerState::kDraft;
  // Operators' ids; empty before the step.
  std::string submitted_by;
  std::string reviewed_by;
  std::string approved_by;
  bool programme_operator = false;
  Evidence evidence;
  // Of one that leaves.
  std::optional<RunOff> run_off;
  // Incremented by each change.
  int64_t revision = 1;
};

// Whether the details are well formed. Only the display name must be there.
//
// Errors: REQUEST_MALFORMED, naming the field; IBAN_INVALID.
absl::Status CheckDetails(const PartnerDetails& details);

// The steps of a partner's life.
enum class Step { kSubmit, kReview, kApprove, kReject, kSuspend, kReinstate, kTerminate, kEnd };

// Takes a step on behalf of an operator.
//
// Errors, first match wins: WRONG_STATE; REQUEST_MALFORMED when details or documents are missing
// that a submission needs; SANCTIONS_HIT for an approval without a clear screening; SAME_PERSON
// when `actor` already signed an earlier step of the same onboarding.
absl::StatusOr<Partner> TakeStep(Step step, Partner partner, const std::string& actor);

// The review with what it found. Errors: REQUEST_MALFORMED without a result and its reference;
// those of TakeStep.
absl::StatusOr<Partner> ReviewPartner(Partner partner, SanctionsResult sanctions,
                                      const std::string& reference, const std::string& actor,
                                      Timestamp now);

// How long a review may wait for the approval: what was found ages.
inline constexpr int kReviewDays = 30;

// APPROVAL_EXPIRED when the review is older than kReviewDays.
absl::Status CheckReviewIsFresh(const Partner& partner, Timestamp now);

// Adds a document. The same bytes again change nothing; anything else takes the partner back to
// DRAFT. Errors: REQUEST_MALFORMED; WRONG_STATE once the partner was approved.
absl::StatusOr<Partner> AttachDocument(Partner partner, Document document);

// WRONG_STATE while the run-off of a partner that leaves is not over.
absl::Status CheckRunOffIsOver(const Partner& partner, Timestamp now);

// Whether it is TERMINATED, or would be once all is settled and paid: the date of its final
// settlement has come.
bool HasLeft(const Partner& partner, Timestamp now);

// Changes the named fields to those of `wanted`, which passed CheckDetails.
//
// What is submitted or reviewed is what gets approved: a change before the approval takes the
// partner back to DRAFT, without its signatures.
//
// Errors: WRONG_STATE when the partner has left, or, once approved, for a reviewed field or for one
// that would become empty.
absl::StatusOr<Partner> ChangeDetails(Partner partner, const PartnerDetails& wanted,
                                      const std::vector<DetailField>& fields);

// WRONG_STATE for a partner that has left: it gets no keys any more.
absl::Status CheckMayHoldKeys(const Partner& partner);

}  // namespace guilder::partner
