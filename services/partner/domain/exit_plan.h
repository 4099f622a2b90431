// What it takes when a partner leaves: dates, points that are out, and money.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/partner/domain/exposure_policy.h"
#include "services/partner/domain/run_off.h"

namespace guilder::partner {

// Points of the partner's versions that were issued in one window and are out.
struct IssuedPoints {
  Timestamp window;
  Points points;
};

struct ExitFacts {
  std::vector<IssuedPoints> outstanding;
  // Of its points so far.
  Points redeemed;
  Points expired;
  // The month in which the last of them expire, 202612; 0 for none that does.
  int last_expiry_month = 0;
  Points unused_blocks;
  ExposureFigures figures;
  MinorUnits collateral;
  MinorUnits reserve;
};

// Issued at least `least_days` ago, and fewer than `most_days`; 0 for no bound.
struct OutstandingAge {
  int least_days = 0;
  int most_days = 0;
  Points points;
};

// In the order of the wire's ExitStepKind, which begins with 1.
enum class ExitStepKind {
  kGiveNotice,
  kTellMembers,
  kLastIssue,
  kLastRedemption,
  kLastReturn,
  kFinalSettlement,
  kLastExpiry,
};

struct ExitStep {
  Timestamp at;
  ExitStepKind kind = ExitStepKind::kGiveNotice;
};

struct ExitPlan {
  RunOff run_off;
  std::vector<OutstandingAge> ages;  // Youngest first, without empty ones.
  Points outstanding;
  int32_t redeemed_share_ppm = 0;
  Points expected_redeemed;
  MinorUnits held;
  MinorUnits escrow;
  std::vector<ExitStep> steps;  // By time.
};

// Members are told so long before a partner gives or takes no more points.
inline constexpr int kTellMembersDays = 30;

// The plan of an exit whose last issue and last redemption are at `date`, or at the end of their
// notice. Shares are rounded half away from zero; without a past everything is expected to be
// spent.
//
// Errors: as PlanRunOff.
absl::StatusOr<ExitPlan> PlanExit(const ExitFacts& facts, std::optional<Timestamp> date,
                                  const NoticeDays& notice, Timestamp now);

}  // namespace guilder::partner
