// How much a partner may owe, and what happens on the way there.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "services/partner/domain/point_block.h"

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
  // Of these, what is not settled yet.
  MinorUnits unsettled_reimbursement;

  // What the partner could cost the programme if it paid nothing any more.
  MinorUnits Total(MinorUnits collateral) const;
  // What the next settlement would make it owe; negative when it would be paid.
  MinorUnits NetDebit() const { return unbilled_issuance - unsettled_reimbursement; }
};

struct ExposurePolicy {
  MinorUnits credit_limit;  // 0 for none.
  MinorUnits collateral;
  // What the next settlement may make it owe; 0 for any amount.
  MinorUnits net_debit_cap{};
  // Shares of the credit limit, and of the net debit cap, from which each stage holds, rising.
  int32_t warn_ppm = 800'000;
  int32_t no_bonus_ppm = 900'000;
  int32_t no_issuance_ppm = 1'000'000;
  int32_t redemption_only_ppm = 1'200'000;
  // Below so many points left of its blocks a prepaid partner buys so many more. 0 for never.
  Points reorder_below;
  Points reorder;
  // How long such a block lasts, 0 for ever; and what becomes of the rest.
  int32_t reorder_days = 0;
  BlockEnding reorder_when_ended = BlockEnding::kNone;
};

inline constexpr int32_t kMostReorderDays = 3'660;

// Whether a partner may owe more under `wanted` than under `held`: a higher limit or cap, or none,
// more collateral, a later stage.
bool IsLooser(const ExposurePolicy& wanted, const ExposurePolicy& held);

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

// By whichever is used up more, the credit limit or the net debit cap. Without either always
// kNormal.
ExposureStage StageOf(const ExposureFigures& figures, const ExposurePolicy& policy);

// How many points at that rate a partner may still issue before purchases give none: by whichever
// leaves less, the credit limit or the net debit cap. Nothing without either, or without a rate.
std::optional<Points> PointsLeft(const ExposureFigures& figures, const ExposurePolicy& policy,
                                 int64_t rate_micros, int currency_exponent);

// The share of the credit limit that is used, in millionths; 0 without a limit or an exposure.
int64_t UsedPpm(const ExposureFigures& figures, const ExposurePolicy& policy);
// The same of the net debit cap.
int64_t NetDebitUsedPpm(const ExposureFigures& figures, const ExposurePolicy& policy);

}  // namespace guilder::partner
