// Which window an instant of posted time is in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "libs/base/types.h"

namespace guilder::ledger {

enum class Cycle { kDaily, kWeekly, kMonthly, kOnDemand };

// "DAILY", "WEEKLY", "MONTHLY", "ON_DEMAND", as in ledger.programmes.cycle.
std::string_view CycleName(Cycle cycle);
std::optional<Cycle> CycleFromName(std::string_view name);

// The boundaries between windows: the local midnights that begin a day, a week (Monday) or a month,
// and those that were set on demand. A window lasts from one boundary, inclusive, to the next,
// exclusive. A programme whose cycle is on demand has no other boundaries: its open window never
// ends (kNever) before somebody ends it, and
// its first one begins with 1970.
//
// A boundary of the cycle that falls on a holiday moves to the next business day: no window begins
// or ends on a holiday unless somebody asks for it. Boundaries that move to the same day are one,
// so of a daily cycle the window before a holiday has the holiday in it.
//
// Midnight is the first instant of the local date: where a change of the clocks skips midnight, the
// instant of the change; where it repeats midnight, the first. Immutable, hence thread safe. Costs
// well under a microsecond a question.
class Calendar {
 public:
  // `boundaries_on_demand` and `holidays`, which are local dates, in any order. Errors:
  // INVALID_ARGUMENT, no such time zone (IANA's names).
  static absl::StatusOr<Calendar> Make(Cycle cycle, const std::string& time_zone,
                                       std::vector<Timestamp> boundaries_on_demand,
                                       std::vector<absl::CivilDay> holidays = {});

  // The start of the window that `at` is in: the last boundary at or before it.
  Timestamp WindowStart(Timestamp at) const;
  // The end of the window that `at`, which may be its start, is in: the first boundary after it.
  Timestamp WindowEnd(Timestamp at) const;

  // The date itself, or the first one after it that is no holiday.
  absl::CivilDay BusinessDay(absl::CivilDay date) const;
  // The first instant of a local date.
  Timestamp Midnight(absl::CivilDay date) const;

  const absl::TimeZone& time_zone() const { return time_zone_; }

 private:
  Calendar(Cycle cycle, absl::TimeZone time_zone, std::vector<Timestamp> on_demand,
           std::vector<absl::CivilDay> holidays)
      : cycle_(cycle),
        time_zone_(time_zone),
        on_demand_(std::move(on_demand)),
        holidays_(std::move(holidays)) {}

  // The first local date of the cycle's period that has `date`, moved on by so many periods.
  absl::CivilDay PeriodStart(absl::CivilDay date, int periods) const;
  // The boundary that begins that period: at its first business day.
  Timestamp Boundary(absl::CivilDay date, int periods) const;

  Cycle cycle_;
  absl::TimeZone time_zone_;
  std::vector<Timestamp> on_demand_;      // Sorted.
  std::vector<absl::CivilDay> holidays_;  // Sorted.
};

}  // namespace guilder::ledger
