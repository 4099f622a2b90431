#include "libs/ledger/core/expiry.h"

#include <algorithm>

#include "absl/time/civil_time.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"

namespace guilder::ledger {
namespace {

// That day of a month, or the month's last one.
absl::CivilDay DayOf(absl::CivilMonth month, int day) {
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  return std::min(absl::CivilDay(month) + (day - 1), last);
}

absl::CivilDay MonthsAfter(absl::CivilDay day, int months) {
  return DayOf(absl::CivilMonth(day) + months, day.day());
}

// The last day on which the points may be spent.
absl::CivilDay LastDay(const ExpiryPolicy& policy, absl::CivilDay earned, int life_days) {
  const absl::CivilDay old_enough = MonthsAfter(earned, policy.months);
  switch (policy.kind) {
    case ExpiryKind::kMonths:
    case ExpiryKind::kInactivity:
      return old_enough;
    case ExpiryKind::kEndOfMonth:
      return DayOf(absl::CivilMonth(earned) + policy.months, 31);
    case ExpiryKind::kEndOfYear:
      return absl::CivilDay(absl::CivilYear(old_enough) + 1) - 1;
    case ExpiryKind::kFixedDate: {
      const absl::CivilYear year(old_enough);
      const absl::CivilDay this_year =
          DayOf(absl::CivilMonth(year.year(), policy.month), policy.day);
      if (this_year >= old_enough) return this_year;
      return DayOf(absl::CivilMonth(year.year() + 1, policy.month), policy.day);
    }
    case ExpiryKind::kByContract:
    case ExpiryKind::kNever:
      break;
  }
  return earned + life_days;
}

absl::Status Malformed(const char* field) {
  return Refuse(Reason::kRequestMalformed, field, {{"field", field}});
}

}  // namespace

absl::Status CheckPolicy(const ExpiryPolicy& policy) {
  const bool fixed = policy.kind == ExpiryKind::kFixedDate;
  const bool idle = policy.kind == ExpiryKind::kInactivity;
  const bool moves = policy.kind == ExpiryKind::kMonths || idle;
  if (policy.kind < ExpiryKind::kByContract || policy.kind > ExpiryKind::kInactivity) {
    return Malformed("policy.expiry.kind");
  }
  if (policy.months < (moves ? 1 : 0) || policy.months > kMostExpiryMonths) {
    return Malformed("policy.expiry.months");
  }
  if (fixed && (policy.month < 1 || policy.month > 12)) return Malformed("policy.expiry.month");
  if (fixed && (policy.day < 1 || policy.day > 31)) return Malformed("policy.expiry.day");
  const bool some = policy.activities > 0 && policy.activities <= kAllActivities;
  if (idle ? !some : policy.activities != 0) return Malformed("policy.expiry.activities");
  if (policy.minimum_life_days < 0 || policy.minimum_life_days > kMostMinimumLifeDays) {
    return Malformed("policy.expiry.minimum_life_days");
  }
  return absl::OkStatus();
}

Timestamp ExpiresAt(const ExpiryPolicy& policy, Timestamp earned_at, int life_days,
                    const absl::TimeZone& zone) {
  if (policy.kind == ExpiryKind::kNever) return kNever;
  if (policy.kind == ExpiryKind::kByContract && life_days == 0) return kNever;
  const absl::CivilDay earned = absl::ToCivilDay(ToAbslTime(earned_at), zone);
  // Where a day begins an hour late, because clocks go forward at midnight, the day before ends
  // then.
  return FromAbslTime(absl::FromCivil(LastDay(policy, earned, life_days) + 1, zone));
}

}  // namespace guilder::ledger
