// How much a partner may owe, and what happens on the way there.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

#include "libs/base/types.h"

namespace guilder::partner {

// design.md, section 4. All amounts in the programme's currency, without tax but for invoices.
struct ExposureFigures {
  MinorUnits unbilled_issuance;
  // What it owes of settlements, less what was paid or written off.
  MinorUnits unpaid_invoices;
  // Outstanding points of contracts that are billed at redemption, at their rates.
  MinorUnits outstanding_issuance;
  // Reimbursements that are not settled yet, and what it is owed of settlements.
  MinorUnits owed_to_partner;

  // What the partner could cost the programme if it paid nothing any more.
  MinorUnits Total(MinorUnits collateral) const;
};

struct ExposurePolicy {
  MinorUnits credit_limit;  // 0 for none.
  MinorUnits collateral;
  // Shares of the credit limit from which each stage holds, rising.
  int32_t warn_ppm = 800'000;
  int32_t no_bonus_ppm = 900'000;
  int32_t no_issuance_ppm = 1'000'000;
  int32_t redemption_only_ppm = 1'200'000;
  // Below so many points left of its blocks a prepaid partner buys so many more. 0 for never.
  Points reorder_below;
  Points reorder;
};

inline constexpr int32_t kMaxStagePpm = 10'000'000;

// Errors: REQUEST_MALFORMED, naming the field; AMOUNT_OUT_OF_RANGE.
absl::Status CheckExposurePolicy(const ExposurePolicy& policy);

// As in partner.exposure_states; each says what still works.
enum class ExposureStage {
  kNormal,
  kWarn,            // Everything; people are told.
  kNoBonus,         // Purchases earn by base rates only; points are taken.
  kNoIssuance,      // Purchases are recorded without points; points are taken.
  kRedemptionOnly,  // Purchases are refused; points are taken.
};
std::string_view StageName(ExposureStage stage);
// kNormal for a name that is none.
ExposureStage ExposureStageFromName(std::string_view name);

// Without a credit limit always kNormal.
ExposureStage StageOf(const ExposureFigures& figures, const ExposurePolicy& policy);

// The share of the credit limit that is used, in millionths; 0 without a limit or an exposure.
int64_t UsedPpm(const ExposureFigures& figures, const ExposurePolicy& policy);

}  // namespace guilder::partner
