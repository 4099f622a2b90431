// Points that staff gives or takes: who may how many, and what they do to an account.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "libs/ledger/core/decision_context.h"
#include "libs/ledger/core/posting.h"

namespace guilder::member {

// The numbers are stored, and those of the API.
enum class AdjustmentReason : int16_t {
  kUnspecified = 0,
  kGoodwill = 1,
  kMissingPurchase = 2,
  kCorrection = 3,
  kReturnWithoutReceipt = 4,
  kFraud = 5,
  kTechnicalFault = 6,
  kOther = 7,
};

enum class AdjustmentState : int16_t {
  kUnspecified = 0,
  kPosting = 1,
  kWaiting = 2,
  kPosted = 3,
  kRejected = 4,
  kRefused = 5,
};

struct Adjustment {
  int64_t id = 0;
  Uuid request_id{};
  AccountId account;
  Points points;  // Negative when taken.
  AdjustmentReason reason = AdjustmentReason::kUnspecified;
  PartnerId payer;
  std::string note;
  AdjustmentState state = AdjustmentState::kWaiting;
  std::string proposed_by;
  Timestamp proposed_at;
  std::string decided_by;
};

// "adjustments/12".
std::string AdjustmentName(int64_t id);

// SHA-256 over the account, points, reason, payer and note, in hexadecimal: what an approval is
// bound to.
std::string AdjustmentEtag(const Adjustment& adjustment);

// What one operator may adjust.
struct AdjustmentLimits {
  Points alone;
  Points daily;
};

// The defaults are those of a programme that has set nothing.
struct AdjustmentPolicy {
  AdjustmentLimits support{Points(1'000), Points(10'000)};
  AdjustmentLimits admin{Points(10'000), Points(100'000)};
  int approval_days = 7;
};

inline constexpr int kMostApprovalDays = 90;
inline constexpr size_t kMostNoteCharacters = 200;

// Refuses: kRequestMalformed, naming the field.
absl::Status CheckPolicy(const AdjustmentPolicy& policy);

// Refuses, in this order: kRequestMalformed, a reason or a note is missing or malformed;
// kAmountOutOfRange.
absl::Status CheckAdjustment(const Adjustment& adjustment);

// Whether it is posted at once, or waits for a second person. `today` is what the operator adjusted
// today.
//
// Refuses: kLimitExceeded (daily_points).
absl::StatusOr<AdjustmentState> DecideState(const AdjustmentLimits& limits, Points today,
                                            Points points);

// Whether that operator may approve it now.
//
// Refuses, in this order: kWrongState, it waits for nobody; kChangeDiffers; kApprovalExpired;
// kSamePerson.
absl::Status CheckApproval(const Adjustment& adjustment, const AdjustmentPolicy& policy,
                           const std::string& etag, const std::string& actor, Timestamp now);

// Gives the points as a lot of the payer, available at once, or takes available ones in the order
// of consumption: those are breakage.
//
// Refuses, in this order: kAccountClosed; kPartnerNotActive and kNoContract, by the payer, when
// points are given; kInsufficientPoints.
absl::Status DecideAdjustment(const ledger::DecisionContext& context, ledger::Posting& posting,
                              const Adjustment& adjustment);

}  // namespace guilder::member
