#include "services/partner/domain/exposure_policy.h"

#include <algorithm>
#include <array>
#include <limits>

#include "libs/base/reason.h"

namespace guilder::partner {
namespace {

constexpr std::array<std::string_view, 5> kStageNames{"NORMAL", "WARN", "NO_BONUS", "NO_ISSUANCE",
                                                      "REDEMPTION_ONLY"};
constexpr int64_t kMillion = 1'000'000;

absl::Status Malformed(const char* field, const char* what) {
  return Refuse(Reason::kRequestMalformed, what, {{"field", field}});
}

absl::Status CheckAmount(const char* field, int64_t amount, int64_t most) {
  if (amount >= 0 && amount <= most) return absl::OkStatus();
  return Refuse(Reason::kAmountOutOfRange, field, {{"field", field}});
}

}  // namespace

MinorUnits ExposureFigures::Total(MinorUnits collateral) const {
  return unbilled_issuance + unpaid_invoices + outstanding_issuance - collateral - owed_to_partner;
}

absl::Status CheckExposurePolicy(const ExposurePolicy& policy) {
  for (const auto& [field, amount, most] :
       {std::tuple("credit_limit", policy.credit_limit.value(), kMaxAmount.value()),
        std::tuple("collateral", policy.collateral.value(), kMaxAmount.value()),
        std::tuple("reorder_below_points", policy.reorder_below.value(),
                   kMaxPointsPerCommand.value()),
        std::tuple("reorder_points", policy.reorder.value(), kMaxPointsPerCommand.value())}) {
    if (absl::Status status = CheckAmount(field, amount, most); !status.ok()) return status;
  }
  const bool rising = 0 < policy.warn_ppm && policy.warn_ppm <= policy.no_bonus_ppm &&
                      policy.no_bonus_ppm <= policy.no_issuance_ppm &&
                      policy.no_issuance_ppm <= policy.redemption_only_ppm &&
                      policy.redemption_only_ppm <= kMaxStagePpm;
  if (!rising) return Malformed("warn_ppm", "the stages do not follow each other");
  if ((policy.reorder_below > Points(0)) != (policy.reorder > Points(0))) {
    return Malformed("reorder_points", "a reorder needs both a level and a number of points");
  }
  return absl::OkStatus();
}

std::string_view StageName(ExposureStage stage) {
  return kStageNames[static_cast<size_t>(stage)];
}

ExposureStage ExposureStageFromName(std::string_view name) {
  for (size_t i = 0; i < kStageNames.size(); ++i) {
    if (kStageNames[i] == name) return static_cast<ExposureStage>(i);
  }
  return ExposureStage::kNormal;
}

int64_t UsedPpm(const ExposureFigures& figures, const ExposurePolicy& policy) {
  const int64_t total = figures.Total(policy.collateral).value();
  const int64_t limit = policy.credit_limit.value();
  if (limit <= 0 || total <= 0) return 0;
  const __int128 ppm = static_cast<__int128>(total) * kMillion / limit;
  return ppm > std::numeric_limits<int64_t>::max() ? std::numeric_limits<int64_t>::max()
                                                   : static_cast<int64_t>(ppm);
}

ExposureStage StageOf(const ExposureFigures& figures, const ExposurePolicy& policy) {
  const int64_t used = UsedPpm(figures, policy);
  if (policy.credit_limit <= MinorUnits(0)) return ExposureStage::kNormal;
  if (used >= policy.redemption_only_ppm) return ExposureStage::kRedemptionOnly;
  if (used >= policy.no_issuance_ppm) return ExposureStage::kNoIssuance;
  if (used >= policy.no_bonus_ppm) return ExposureStage::kNoBonus;
  return used >= policy.warn_ppm ? ExposureStage::kWarn : ExposureStage::kNormal;
}

}  // namespace guilder::partner
