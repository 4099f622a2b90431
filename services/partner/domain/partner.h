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
  // Incremented by each change.
  int64_t revision = 1;
};

// Whether the details are well formed. Only the display name must be there.
//
// Errors: REQUEST_MALFORMED, naming the field; IBAN_INVALID.
absl::Status CheckDetails(const PartnerDetails& details);

// The steps of a partner's life.
enum class Step { kSubmit, kReview, kApprove, kSuspend, kReinstate, kTerminate };

// Takes a step on behalf of an operator.
//
// Errors, first match wins: WRONG_STATE; REQUEST_MALFORMED when details are missing that a
// submission needs; SAME_PERSON when `actor` already signed an earlier step of the same onboarding.
absl::StatusOr<Partner> TakeStep(Step step, Partner partner, const std::string& actor);

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
