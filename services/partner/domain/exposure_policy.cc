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

int64_t ShareOf(MinorUnits used, MinorUnits limit) {
  if (limit <= MinorUnits() || used <= MinorUnits()) return 0;
  const __int128 ppm = static_cast<__int128>(used.value()) * kMillion / limit.value();
  return ppm > std::numeric_limits<int64_t>::max() ? std::numeric_limits<int64_t>::max()
                                                   : static_cast<int64_t>(ppm);
}

// Of two limits where 0 is none.
bool IsHigher(MinorUnits wanted, MinorUnits held) {
  if (held == MinorUnits()) return false;
  return wanted == MinorUnits() || wanted > held;
}

}  // namespace

MinorUnits ExposureFigures::Total(MinorUnits collateral) const {
  return unbilled_issuance + unpaid_invoices + outstanding_issuance - collateral - owed_to_partner;
}

absl::Status CheckExposurePolicy(const ExposurePolicy& policy) {
  for (const auto& [field, amount, most] :
       {std::tuple("credit_limit", policy.credit_limit.value(), kMaxAmount.value()),
        std::tuple("collateral", policy.collateral.value(), kMaxAmount.value()),
        std::tuple("net_debit_cap", policy.net_debit_cap.value(), kMaxAmount.value()),
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
  if (policy.reorder_days < 0 || policy.reorder_days > kMostReorderDays) {
    return Malformed("reorder_days", "a block lasts for 0 to 3660 days");
  }
  if ((policy.reorder_days > 0) != (policy.reorder_when_ended != BlockEnding::kNone)) {
    return Malformed("reorder_when_ended", "an end needs what becomes of the unused points' money");
  }
  return absl::OkStatus();
}

bool IsLooser(const ExposurePolicy& wanted, const ExposurePolicy& held) {
  const bool limited = held.credit_limit > MinorUnits() || held.net_debit_cap > MinorUnits();
  if (!limited) return false;
  return IsHigher(wanted.credit_limit, held.credit_limit) ||
         IsHigher(wanted.net_debit_cap, held.net_debit_cap) ||
         wanted.collateral > held.collateral || wanted.warn_ppm > held.warn_ppm ||
         wanted.no_bonus_ppm > held.no_bonus_ppm || wanted.no_issuance_ppm > held.no_issuance_ppm ||
         wanted.redemption_only_ppm > held.redemption_only_ppm;
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
  return ShareOf(figures.Total(policy.collateral), policy.credit_limit);
}

int64_t NetDebitUsedPpm(const ExposureFigures& figures, const ExposurePolicy& policy) {
  return ShareOf(figures.NetDebit(), policy.net_debit_cap);
}

std::optional<Points> PointsLeft(const ExposureFigures& figures, const ExposurePolicy& policy,
                                 int64_t rate_micros, int currency_exponent) {
  std::optional<__int128> left;
  for (const auto& [limit, used] :
       {std::pair(policy.credit_limit, figures.Total(policy.collateral)),
        std::pair(policy.net_debit_cap, figures.NetDebit())}) {
    if (limit <= MinorUnits()) continue;
    const __int128 of_limit =
        static_cast<__int128>(limit.value()) * policy.no_issuance_ppm / kMillion - used.value();
    left = left ? std::min(*left, of_limit) : of_limit;
  }
  if (!left || rate_micros <= 0) return std::nullopt;
  if (*left <= 0) return Points();
  __int128 points = *left * kMillion;
  for (int i = 0; i < currency_exponent; ++i) points /= 10;
  return Points(static_cast<int64_t>(
      std::min<__int128>(points / rate_micros, std::numeric_limits<int64_t>::max())));
}

ExposureStage StageOf(const ExposureFigures& figures, const ExposurePolicy& policy) {
  const int64_t used = std::max(UsedPpm(figures, policy), NetDebitUsedPpm(figures, policy));
  if (used == 0) return ExposureStage::kNormal;
  if (used >= policy.redemption_only_ppm) return ExposureStage::kRedemptionOnly;
  if (used >= policy.no_issuance_ppm) return ExposureStage::kNoIssuance;
  if (used >= policy.no_bonus_ppm) return ExposureStage::kNoBonus;
  return used >= policy.warn_ppm ? ExposureStage::kWarn : ExposureStage::kNormal;
}

}  // namespace guilder::partner
