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
    case Cycle::kOnDemand:
      return "ON_DEMAND";
  }
  return "";
}

std::optional<Cycle> CycleFromName(std::string_view name) {
  for (const Cycle cycle : {Cycle::kDaily, Cycle::kWeekly, Cycle::kMonthly, Cycle::kOnDemand}) {
    if (CycleName(cycle) == name) return cycle;
  }
  return std::nullopt;
}

absl::StatusOr<Calendar> Calendar::Make(Cycle cycle, const std::string& time_zone,
                                        std::vector<Timestamp> boundaries_on_demand,
                                        std::vector<absl::CivilDay> holidays) {
  absl::TimeZone zone;
  if (!absl::LoadTimeZone(time_zone, &zone)) {
    return absl::InvalidArgumentError("no such time zone: " + time_zone);
  }
  std::sort(boundaries_on_demand.begin(), boundaries_on_demand.end());
  std::sort(holidays.begin(), holidays.end());
  holidays.erase(std::unique(holidays.begin(), holidays.end()), holidays.end());
  return Calendar(cycle, zone, std::move(boundaries_on_demand), std::move(holidays));
}

absl::CivilDay Calendar::PeriodStart(absl::CivilDay date, int periods) const {
  switch (cycle_) {
    case Cycle::kDaily:
      return date + periods;
    case Cycle::kWeekly:
      return absl::PrevWeekday(date + 1, absl::Weekday::monday) + 7 * periods;
    case Cycle::kMonthly:
    case Cycle::kOnDemand:
      break;
  }
  return absl::CivilDay(absl::CivilMonth(date) + periods);
}

// FromCivil gives the instant of the change where midnight is skipped, and the first of two.
Timestamp Calendar::Midnight(absl::CivilDay date) const {
  return FromAbslTime(absl::FromCivil(date, time_zone_));
}

absl::CivilDay Calendar::BusinessDay(absl::CivilDay date) const {
  auto holiday = std::lower_bound(holidays_.begin(), holidays_.end(), date);
  for (; holiday != holidays_.end() && *holiday == date; ++holiday) ++date;
  return date;
}

Timestamp Calendar::Boundary(absl::CivilDay date, int periods) const {
  return Midnight(BusinessDay(PeriodStart(date, periods)));
}

Timestamp Calendar::WindowStart(Timestamp at) const {
  const auto after = std::upper_bound(on_demand_.begin(), on_demand_.end(), at);
  const Timestamp demanded = after == on_demand_.begin() ? Timestamp(INT64_MIN) : *std::prev(after);
  if (cycle_ == Cycle::kOnDemand) return std::max(demanded, Timestamp());
  const absl::CivilDay date = absl::ToCivilDay(ToAbslTime(at), time_zone_);
  // Clocks that go back over midnight return to a date whose end has been passed already; and the
  // boundary of this period may have moved behind `at`.
  int periods = 1;
  Timestamp start = Boundary(date, periods);
  while (start > at) start = Boundary(date, --periods);
  return std::max(start, demanded);
}

Timestamp Calendar::WindowEnd(Timestamp at) const {
  const auto after = std::upper_bound(on_demand_.begin(), on_demand_.end(), at);
  const Timestamp demanded = after == on_demand_.end() ? kNever : *after;
  if (cycle_ == Cycle::kOnDemand) return demanded;
  const absl::CivilDay date = absl::ToCivilDay(ToAbslTime(at), time_zone_);
  // The boundary of this period itself where it has moved; more than one step only for holidays,
  // where a date has no instant, or where the clocks go back over midnight.
  int periods = 0;
  Timestamp end = Boundary(date, periods);
  while (end <= at) end = Boundary(date, ++periods);
  return std::min(end, demanded);
}

}  // namespace guilder::ledger
