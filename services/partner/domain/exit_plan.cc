#include "services/partner/domain/exit_plan.h"

#include <algorithm>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"

namespace guilder::partner {
namespace {

constexpr int64_t kMillion = 1'000'000;
constexpr int kAgeBounds[] = {0, 30, 90, 180, 365};
constexpr int kAges = 5;

std::vector<OutstandingAge> SumByAge(const std::vector<IssuedPoints>& issued, Timestamp now) {
  std::vector<OutstandingAge> ages;
  for (int i = 0; i < kAges; ++i) {
    ages.push_back({kAgeBounds[i], i + 1 < kAges ? kAgeBounds[i + 1] : 0, Points(0)});
  }
  for (const IssuedPoints& one : issued) {
    const int64_t days = (now - one.window).value() / kMicrosPerDay;
    int age = kAges - 1;
    while (age > 0 && days < kAgeBounds[age]) --age;
    ages[static_cast<size_t>(age)].points += one.points;
  }
  std::erase_if(ages, [](const OutstandingAge& age) { return age.points == Points(0); });
  return ages;
}

// Of what became of its points; members' debts may make either of them negative.
int32_t RedeemedShare(Points redeemed, Points expired) {
  const int64_t spent = std::max<int64_t>(redeemed.value(), 0);
  const int64_t ended = spent + std::max<int64_t>(expired.value(), 0);
  if (ended == 0) return static_cast<int32_t>(kMillion);
  return static_cast<int32_t>((static_cast<__int128>(spent) * kMillion + ended / 2) / ended);
}

Timestamp DaysBefore(Timestamp at, int64_t days) {
  return Timestamp(at.value() - days * kMicrosPerDay);
}

// The first instant after the month, in UTC: a plan's dates are days.
Timestamp EndOfMonth(int month) {
  const absl::CivilMonth after(month / 100, month % 100 + 1);
  return Timestamp(absl::ToUnixMicros(absl::FromCivil(after, absl::UTCTimeZone())));
}

std::vector<ExitStep> StepsOf(const RunOff& run_off, const ExitFacts& facts,
                              const NoticeDays& notice, Timestamp now) {
  const Timestamp notice_by = std::min(DaysBefore(run_off.last_issue, notice.issuance),
                                       DaysBefore(run_off.last_redemption, notice.redemption));
  const Timestamp tell =
      DaysBefore(std::min(run_off.last_issue, run_off.last_redemption), kTellMembersDays);
  std::vector<ExitStep> steps = {{std::max(notice_by, now), ExitStepKind::kGiveNotice},
                                 {std::max(tell, now), ExitStepKind::kTellMembers},
                                 {run_off.last_issue, ExitStepKind::kLastIssue},
                                 {run_off.last_redemption, ExitStepKind::kLastRedemption},
                                 {run_off.last_return, ExitStepKind::kLastReturn},
                                 {run_off.final_settlement, ExitStepKind::kFinalSettlement}};
  if (facts.last_expiry_month != 0) {
    steps.push_back({EndOfMonth(facts.last_expiry_month), ExitStepKind::kLastExpiry});
  }
  std::stable_sort(steps.begin(), steps.end(),
                   [](const ExitStep& a, const ExitStep& b) { return a.at < b.at; });
  return steps;
}

}  // namespace

absl::StatusOr<ExitPlan> PlanExit(const ExitFacts& facts, std::optional<Timestamp> date,
                                  const NoticeDays& notice, Timestamp now) {
  AskedRunOff asked;
  asked.last_issue = date;
  asked.last_redemption = date;
  ExitPlan plan;
  GUILDER_ASSIGN_OR_RETURN(plan.run_off, PlanRunOff(asked, notice, now));
  plan.ages = SumByAge(facts.outstanding, now);
  for (const OutstandingAge& age : plan.ages) plan.outstanding += age.points;
  plan.redeemed_share_ppm = RedeemedShare(facts.redeemed, facts.expired);
  plan.expected_redeemed = Points(static_cast<int64_t>(
      (static_cast<__int128>(plan.outstanding.value()) * plan.redeemed_share_ppm + kMillion / 2) /
      kMillion));
  plan.held = facts.collateral + facts.reserve;
  plan.escrow = std::max(MinorUnits(0), facts.figures.Total(plan.held));
  plan.steps = StepsOf(plan.run_off, facts, notice, now);
  return plan;
}

}  // namespace guilder::partner
