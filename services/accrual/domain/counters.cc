#include "services/accrual/domain/counters.h"

#include <algorithm>

#include "absl/time/civil_time.h"

#include "libs/base/text.h"

namespace guilder::accrual {

CounterId MakeCounterId(int32_t cap_serial, PartnerId partner, int32_t period_start) {
  const int64_t whose = int64_t{cap_serial} << 22 | partner.value();
  return CounterId(whose << 16 | period_start);
}

int32_t PeriodStart(rules::CapPeriod period, Timestamp at, const absl::TimeZone& zone) {
  const absl::CivilDay day = absl::ToCivilDay(ToAbslTime(at), zone);
  const auto since_epoch = [](absl::CivilDay start) {
    // 16 bits of a counter's id: until the year 2149.
    return static_cast<int32_t>(std::clamp<int64_t>(start - absl::CivilDay(), 1, 65'535));
  };
  switch (period) {
    case rules::CapPeriod::kEver:
      return 0;
    case rules::CapPeriod::kDay:
      return since_epoch(day);
    case rules::CapPeriod::kWeek:
      return since_epoch(day - static_cast<int>(absl::GetWeekday(day)));
    case rules::CapPeriod::kMonth:
      return since_epoch(absl::CivilDay(absl::CivilMonth(day)));
    case rules::CapPeriod::kYear:
      return since_epoch(absl::CivilDay(absl::CivilYear(day)));
  }
  return 0;
}

std::vector<CountedCap> CountedCapsOf(const DatedRuleSet& set, PartnerId partner, Timestamp at,
                                      const absl::TimeZone& zone) {
  std::vector<CountedCap> counted;
  for (const int32_t index : set.rules->PlanFor(partner).caps) {
    const auto cap_index = static_cast<size_t>(index);
    const rules::Cap& cap = set.rules->rule_set().caps[cap_index];
    if (cap.scope == rules::CapScope::kReceipt) continue;
    const bool by_partner = cap.scope == rules::CapScope::kPartner;
    counted.push_back({cap_index,
                       MakeCounterId(set.cap_serials[cap_index], by_partner ? partner : PartnerId(),
                                     PeriodStart(cap.period, at, zone)),
                       cap.scope == rules::CapScope::kMember, cap.points});
  }
  return counted;
}

}  // namespace guilder::accrual
