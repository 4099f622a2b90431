#include "libs/ledger/core/calendar.h"

#include <string>
#include <vector>

#include "absl/time/time.h"

#include "libs/base/text.h"
#include "tests/support/catch2.h"

namespace guilder::ledger {
namespace {

Timestamp At(const std::string& rfc3339) {
  absl::Time time;
  std::string error;
  REQUIRE(absl::ParseTime(absl::RFC3339_full, rfc3339, &time, &error));
  return FromAbslTime(time);
}

Calendar ACalendar(Cycle cycle, const std::string& zone, std::vector<Timestamp> on_demand = {},
                   std::vector<absl::CivilDay> holidays = {}) {
  absl::StatusOr<Calendar> calendar =
      Calendar::Make(cycle, zone, std::move(on_demand), std::move(holidays));
  REQUIRE(calendar.ok());
  return *calendar;
}

// Whatever the calendar: windows tile time, and each of their instants knows its window.
void CheckTiles(const Calendar& calendar, Timestamp from, Timestamp until) {
  Timestamp start = calendar.WindowStart(from);
  while (start < until) {
    const Timestamp end = calendar.WindowEnd(start);
    REQUIRE(end > start);
    CHECK(calendar.WindowStart(start) == start);
    CHECK(calendar.WindowStart(end - Timestamp(1)) == start);
    CHECK(calendar.WindowEnd(end - Timestamp(1)) == end);
    const Timestamp middle(start.value() + (end.value() - start.value()) / 2);
    CHECK(calendar.WindowStart(middle) == start);
    CHECK(calendar.WindowEnd(middle) == end);
    start = end;
  }
}

TEST_CASE("Calendar: a day lasts from local midnight to local midnight", "[unit][ledger]") {
  const Calendar calendar = ACalendar(Cycle::kDaily, "Europe/Berlin");

  CHECK(calendar.WindowStart(At("2026-01-15T12:00:00+01:00")) == At("2026-01-15T00:00:00+01:00"));
  CHECK(calendar.WindowEnd(At("2026-01-15T12:00:00+01:00")) == At("2026-01-16T00:00:00+01:00"));
  CHECK(calendar.WindowStart(At("2026-01-14T23:00:00Z")) == At("2026-01-14T23:00:00Z"));
}

TEST_CASE("Calendar: a day that changes the clocks has 23 or 25 hours", "[unit][ledger]") {
  const Calendar calendar = ACalendar(Cycle::kDaily, "Europe/Berlin");

  const Timestamp spring = At("2026-03-29T00:00:00+01:00");
  CHECK(calendar.WindowEnd(spring) - spring == Timestamp(23 * 3'600 * kMicrosPerSecond));
  const Timestamp autumn = At("2026-10-25T00:00:00+02:00");
  CHECK(calendar.WindowEnd(autumn) - autumn == Timestamp(25 * 3'600 * kMicrosPerSecond));
}

TEST_CASE("Calendar: where midnight is skipped, the change begins the day", "[unit][ledger]") {
  const Calendar calendar = ACalendar(Cycle::kDaily, "America/Sao_Paulo");

  // 2018-11-04: 23:59:59 -03:00 is followed by 01:00:00 -02:00.
  CHECK(calendar.WindowStart(At("2018-11-04T12:00:00-02:00")) == At("2018-11-04T01:00:00-02:00"));
}

TEST_CASE("Calendar: where midnight is repeated, the first begins the day", "[unit][ledger]") {
  const Calendar calendar = ACalendar(Cycle::kDaily, "America/Havana");

  // 2026-11-01: 00:59:59 -04:00 is followed by 00:00:00 -05:00.
  CHECK(calendar.WindowStart(At("2026-11-01T12:00:00-05:00")) == At("2026-11-01T00:00:00-04:00"));
}

TEST_CASE("Calendar: weeks begin on Monday, months on their first day", "[unit][ledger]") {
  const Calendar weekly = ACalendar(Cycle::kWeekly, "UTC");
  CHECK(weekly.WindowStart(At("2026-11-22T14:00:00Z")) == At("2026-11-16T00:00:00Z"));
  CHECK(weekly.WindowStart(At("2026-11-16T00:00:00Z")) == At("2026-11-16T00:00:00Z"));
  CHECK(weekly.WindowEnd(At("2026-11-22T14:00:00Z")) == At("2026-11-23T00:00:00Z"));

  const Calendar monthly = ACalendar(Cycle::kMonthly, "UTC");
  CHECK(monthly.WindowStart(At("2026-12-31T23:59:59Z")) == At("2026-12-01T00:00:00Z"));
  CHECK(monthly.WindowEnd(At("2026-12-31T23:59:59Z")) == At("2027-01-01T00:00:00Z"));
}

TEST_CASE("Calendar: a boundary on demand ends a window and begins the next", "[unit][ledger]") {
  const Timestamp noon = At("2026-01-15T12:00:00Z");
  const Timestamp three = At("2026-01-15T15:00:00Z");
  const Calendar calendar = ACalendar(Cycle::kDaily, "UTC", {three, noon});

  CHECK(calendar.WindowEnd(At("2026-01-15T00:00:00Z")) == noon);
  CHECK(calendar.WindowStart(noon - Timestamp(1)) == At("2026-01-15T00:00:00Z"));
  CHECK(calendar.WindowStart(noon) == noon);
  CHECK(calendar.WindowEnd(noon) == three);
  CHECK(calendar.WindowEnd(three) == At("2026-01-16T00:00:00Z"));
  CHECK(calendar.WindowStart(At("2026-01-17T01:00:00Z")) == At("2026-01-17T00:00:00Z"));
}

TEST_CASE("Calendar: windows tile time in every zone and cycle", "[unit][ledger][inv-80]") {
  const std::string zone =
      GENERATE(as<std::string>(), "UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana",
               "Asia/Beirut", "Pacific/Apia", "America/Scoresbysund", "Antarctica/Troll");
  const Cycle cycle = GENERATE(Cycle::kDaily, Cycle::kWeekly, Cycle::kMonthly);
  CAPTURE(zone, CycleName(cycle));
  const Calendar calendar =
      ACalendar(cycle, zone, {At("2011-12-30T07:30:00Z"), At("2018-11-04T03:00:00Z")});

  CheckTiles(calendar, At("2011-06-01T00:00:00Z"), At("2012-06-01T00:00:00Z"));
  CheckTiles(calendar, At("2018-01-01T00:00:00Z"), At("2019-01-01T00:00:00Z"));
}

TEST_CASE("Calendar: a boundary on a holiday moves to the next business day", "[unit][ledger]") {
  // New Year is a Thursday in 2026; the Friday after it is a holiday, too.
  const std::vector<absl::CivilDay> holidays = {
      absl::CivilDay(2026, 1, 2), absl::CivilDay(2026, 1, 1), absl::CivilDay(2026, 1, 5)};
  const Calendar daily = ACalendar(Cycle::kDaily, "Europe/Berlin", {}, holidays);
  CHECK(daily.WindowStart(At("2026-01-01T12:00:00+01:00")) == At("2025-12-31T00:00:00+01:00"));
  CHECK(daily.WindowEnd(At("2025-12-31T00:00:00+01:00")) == At("2026-01-03T00:00:00+01:00"));
  CHECK(daily.WindowStart(At("2026-01-03T00:00:00+01:00")) == At("2026-01-03T00:00:00+01:00"));
  CHECK(daily.BusinessDay(absl::CivilDay(2026, 1, 1)) == absl::CivilDay(2026, 1, 3));
  CHECK(daily.BusinessDay(absl::CivilDay(2026, 1, 4)) == absl::CivilDay(2026, 1, 4));

  const Calendar monthly = ACalendar(Cycle::kMonthly, "Europe/Berlin", {}, holidays);
  CHECK(monthly.WindowEnd(At("2026-01-01T12:00:00+01:00")) == At("2026-01-03T00:00:00+01:00"));
  CHECK(monthly.WindowStart(At("2026-01-01T12:00:00+01:00")) == At("2025-12-01T00:00:00+01:00"));

  const Calendar weekly = ACalendar(Cycle::kWeekly, "Europe/Berlin", {}, holidays);
  CHECK(weekly.WindowEnd(At("2026-01-04T12:00:00+01:00")) == At("2026-01-06T00:00:00+01:00"));
  // A boundary on demand is where it was asked for.
  const Timestamp noon = At("2026-01-01T12:00:00+01:00");
  CHECK(
      ACalendar(Cycle::kDaily, "Europe/Berlin", {noon}, holidays).WindowEnd(noon - Timestamp(1)) ==
      noon);
}

TEST_CASE("Calendar: windows tile time around holidays", "[unit][ledger][inv-80]") {
  const Cycle cycle = GENERATE(Cycle::kDaily, Cycle::kWeekly, Cycle::kMonthly);
  std::vector<absl::CivilDay> holidays;
  // Whole months among them, so that boundaries of a week and of a month meet.
  for (absl::CivilDay day(2011, 9, 20); day < absl::CivilDay(2011, 12, 31); ++day) {
    if (day.day() % 7 < 3 || day.month() == 10) holidays.push_back(day);
  }
  const Calendar calendar =
      ACalendar(cycle, "Pacific/Apia", {At("2011-10-13T07:30:00Z")}, holidays);

  CheckTiles(calendar, At("2011-06-01T00:00:00Z"), At("2012-06-01T00:00:00Z"));
}

TEST_CASE("Calendar: on demand, a window ends when somebody ends it", "[unit][ledger]") {
  const Timestamp start = At("2026-01-01T09:30:00Z");
  const Timestamp end = At("2026-03-01T00:00:00Z");
  const Calendar calendar =
      ACalendar(Cycle::kOnDemand, "UTC", {end, start}, {absl::CivilDay(2026, 3, 1)});

  CHECK(calendar.WindowStart(start) == start);
  CHECK(calendar.WindowEnd(start) == end);
  CHECK(calendar.WindowStart(end) == end);
  CHECK(calendar.WindowEnd(end) == kNever);
}

TEST_CASE("Calendar: clocks that go back over midnight do not reopen a window", "[unit][ledger]") {
  // St. John's until 2011: 00:01 -02:30 is followed by 23:01 -03:30 of the day before.
  const Calendar calendar = ACalendar(Cycle::kDaily, "America/St_Johns");

  CheckTiles(calendar, At("2010-10-25T00:00:00Z"), At("2010-11-20T00:00:00Z"));
}

TEST_CASE("Calendar: an unknown time zone is refused", "[unit][ledger]") {
  CHECK(Calendar::Make(Cycle::kDaily, "Mars/Olympus", {}).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace guilder::ledger
