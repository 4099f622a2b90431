#include "libs/ledger/core/calendar.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"

#include "libs/base/text.h"

namespace guilder::ledger {

std::string_view CycleName(Cycle cycle) {
  switch (cycle) {
    case Cycle::kDaily:
      return "DAILY";
    case Cycle::kWeekly:
      return "WEEKLY";
    case Cycle::kMonthly:
      return "MONTHLY";
  }
  return "";
}

std::optional<Cycle> CycleFromName(std::string_view name) {
  for (const Cycle cycle : {Cycle::kDaily, Cycle::kWeekly, Cycle::kMonthly}) {
    if (CycleName(cycle) == name) return cycle;
  }
  return std::nullopt;
}

absl::StatusOr<Calendar> Calendar::Make(Cycle cycle, const std::string& time_zone,
                                        std::vector<Timestamp> boundaries_on_demand) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(time_zone, &zone)) {
    return absl::InvalidArgumentError("no such time zone: " + time_zone);
  }
  std::sort(boundaries_on_demand.begin(), boundaries_on_demand.end());
  return Calendar(cycle, zone, std::move(boundaries_on_demand));
}

absl::CivilDay Calendar::PeriodStart(absl::CivilDay date, int periods) const {
  switch (cycle_) {
    case Cycle::kDaily:
      return date + periods;
    case Cycle::kWeekly:
      return absl::PrevWeekday(date + 1, absl::Weekday::monday) + 7 * periods;
    case Cycle::kMonthly:
      break;
  }
  return absl::CivilDay(absl::CivilMonth(date) + periods);
}

// FromCivil gives the instant of the change where midnight is skipped, and the first of two.
Timestamp Calendar::Midnight(absl::CivilDay date) const {
  return FromAbslTime(absl::FromCivil(date, time_zone_));
}

Timestamp Calendar::WindowStart(Timestamp at) const {
  const absl::CivilDay date = absl::ToCivilDay(ToAbslTime(at), time_zone_);
  Timestamp start = Midnight(PeriodStart(date, 0));
  // Clocks that go back over midnight return to a date whose end has been passed already.
  if (const Timestamp next = Midnight(PeriodStart(date, 1)); next <= at) start = next;

  const auto after = std::upper_bound(on_demand_.begin(), on_demand_.end(), at);
  return after == on_demand_.begin() ? start : std::max(start, *std::prev(after));
}

Timestamp Calendar::WindowEnd(Timestamp at) const {
  const absl::CivilDay date = absl::ToCivilDay(ToAbslTime(at), time_zone_);
  // More than one step only where a date has no instant, or the clocks go back over midnight.
  int periods = 1;
  Timestamp end = Midnight(PeriodStart(date, periods));
  while (end <= at) end = Midnight(PeriodStart(date, ++periods));

  const auto after = std::upper_bound(on_demand_.begin(), on_demand_.end(), at);
  return after == on_demand_.end() ? end : std::min(end, *after);
}

}  // namespace guilder::ledger
