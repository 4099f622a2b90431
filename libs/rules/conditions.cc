#include "libs/rules/conditions.h"

#include <algorithm>

#include "libs/base/text.h"

namespace guilder::rules {
namespace {

// Whether an instant is at or after a local time. Far from it the local times decide; a day around
// it, where the clocks may change, its instant.
bool IsAtOrAfter(const Moment& moment, absl::CivilSecond bound) {
  constexpr int64_t kDay = 86'400;
  const int64_t ahead = moment.local - bound;
  if (ahead > kDay) return true;
  if (ahead < -kDay) return false;
  const absl::TimeZone::TimeInfo info = moment.zone.At(bound);
  const bool skipped = info.kind == absl::TimeZone::TimeInfo::SKIPPED;
  return moment.at >= (skipped ? info.trans : info.pre);
}

bool IsIn(const TimeWindow& window, const absl::CivilSecond& local) {
  const absl::CivilDay day(local);
  const int minute = local.hour() * 60 + local.minute();
  const auto on = [&window](absl::CivilDay day) {
    return (window.weekdays >> static_cast<int>(absl::GetWeekday(day)) & 1) != 0;
  };
  if (window.from_minute < window.until_minute) {
    return on(day) && minute >= window.from_minute && minute < window.until_minute;
  }
  // Over midnight: this evening's, or what is left of last evening's.
  return (minute >= window.from_minute && on(day)) || (minute < window.until_minute && on(day - 1));
}

// The birthday in a year; on 1 March where the year has no 29 February.
absl::CivilDay BirthdayIn(absl::civil_year_t year, const MonthDay& birthday) {
  return absl::CivilDay(year, birthday.month, birthday.day);
}

bool IsNearBirthday(const BirthdayWindow& window, const MonthDay& birthday, absl::CivilDay day) {
  for (int years = -1; years <= 1; ++years) {
    const int64_t after = day - BirthdayIn(day.year() + years, birthday);
    if (after >= -window.days_before && after <= window.days_after) return true;
  }
  return false;
}

bool HasOneOf(const std::vector<std::string>& wanted, const std::vector<std::string>& has) {
  return std::any_of(has.begin(), has.end(), [&](const std::string& value) {
    return std::find(wanted.begin(), wanted.end(), value) != wanted.end();
  });
}

}  // namespace

Moment MomentOf(const Basket& basket) {
  const absl::Time at = ToAbslTime(basket.occurred_at);
  return {at, basket.time_zone, absl::ToCivilSecond(at, basket.time_zone)};
}

bool IsInBirthdayWindow(const BirthdayWindow& window, const Moment& moment,
                        const MemberFacts& member) {
  if (member.birthday) {
    return IsNearBirthday(window, *member.birthday, absl::CivilDay(moment.local));
  }
  const auto& known = member.birthday_windows;
  return std::find(known.begin(), known.end(), window) != known.end();
}

MemberFacts KeptFacts(const CompiledRules& rules, const Basket& basket, const MemberFacts& member) {
  MemberFacts kept;
  kept.first_at_partner = member.first_at_partner;
  kept.first_in_programme = member.first_in_programme;
  const Moment moment = MomentOf(basket);
  for (const Slot& slot : rules.PlanFor(basket.partner).slots) {
    const Conditions& conditions = slot.what->conditions;
    if (!conditions.tiers.empty()) kept.tier = member.tier;
    for (const std::string& segment : conditions.segments) {
      if (HasOneOf({segment}, member.segments) && !HasOneOf({segment}, kept.segments)) {
        kept.segments.push_back(segment);
      }
    }
    const auto& window = conditions.birthday;
    auto& known = kept.birthday_windows;
    if (window && std::find(known.begin(), known.end(), *window) == known.end() &&
        IsInBirthdayWindow(*window, moment, member)) {
      known.push_back(*window);
    }
  }
  std::sort(kept.segments.begin(), kept.segments.end());
  return kept;
}

std::optional<Unmet> FirstUnmet(const Conditions& conditions, const Moment& moment,
                                const MemberFacts& member) {
  if (conditions.valid_from && !IsAtOrAfter(moment, *conditions.valid_from)) {
    return Unmet::kNotYetValid;
  }
  if (conditions.valid_until && IsAtOrAfter(moment, *conditions.valid_until)) {
    return Unmet::kNoLongerValid;
  }
  const auto& windows = conditions.windows;
  if (!windows.empty() &&
      std::none_of(windows.begin(), windows.end(),
                   [&](const TimeWindow& window) { return IsIn(window, moment.local); })) {
    return Unmet::kHours;
  }
  if (!conditions.tiers.empty() && std::find(conditions.tiers.begin(), conditions.tiers.end(),
                                             member.tier) == conditions.tiers.end()) {
    return Unmet::kTier;
  }
  if (!conditions.segments.empty() && !HasOneOf(conditions.segments, member.segments)) {
    return Unmet::kSegment;
  }
  const FirstPurchase first = conditions.first_purchase;
  if ((first == FirstPurchase::kAtPartner && !member.first_at_partner) ||
      (first == FirstPurchase::kInProgramme && !member.first_in_programme)) {
    return Unmet::kFirstPurchase;
  }
  if (conditions.birthday && !IsInBirthdayWindow(*conditions.birthday, moment, member)) {
    return Unmet::kBirthday;
  }
  return std::nullopt;
}

}  // namespace guilder::rules
