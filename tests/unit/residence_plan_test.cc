// Where points do not expire by time: what follows from residences and the policy's versions.
#include <string>

#include "libs/base/reason.h"
#include "services/member/domain/residence.h"
#include "tests/support/catch2.h"

namespace guilder::member {
namespace {

Timestamp Day(int day) {
  return Timestamp(day * kMicrosPerDay);
}

ledger::Configuration AConfiguration() {
  return {1, {}, ledger::Calendar::Make(ledger::Cycle::kDaily, "UTC", {}).value(), {}, PartnerId()};
}

Residence From(int day, const std::string& place, int number = 1) {
  return {number, place, Day(day), Day(0), "operators/anna"};
}

ResidencePolicy Listed(int day, std::vector<std::string> places, int grace_days = 0) {
  return {day + 1, Day(day), std::move(places), grace_days};
}

SparingPlan Plan(const std::vector<Residence>& residences,
                 const std::vector<ResidencePolicy>& policies, int now) {
  return PlanSparing(residences, policies, Day(now), AConfiguration());
}

TEST_CASE("Residence: points are spared from the day of the move to the end of the last of grace",
          "[unit][member][inv-70]") {
  const std::vector<Residence> residences = {From(10, "DE", 1), From(20, "US-CA", 2),
                                             From(30, "FR", 3)};
  const std::vector<ResidencePolicy> policies = {Listed(0, {"US"}, 5)};

  // Before, at the time, and in the days of grace: one and the same time.
  for (const int now : {1, 15, 25, 32, 35}) {
    INFO(now);
    CHECK(Plan(residences, policies, now).sparing == ledger::Sparing{Day(20), Day(36)});
    CHECK(Plan(residences, policies, now).next_change == Day(36));
  }
  CHECK(Plan(residences, policies, 36).sparing == ledger::Sparing());
  CHECK(Plan(residences, policies, 36).next_change == kNever);
}

TEST_CASE("Residence: who comes back within the days of grace was never away, and who later, was",
          "[unit][member][inv-70]") {
  const std::vector<ResidencePolicy> policies = {Listed(0, {"DE"}, 5)};
  CHECK(Plan({From(1, "DE"), From(10, "FR"), From(14, "DE")}, policies, 12).sparing ==
        ledger::Sparing{Day(1), kNever});
  const std::vector<Residence> later = {From(1, "DE"), From(10, "FR"), From(20, "DE")};
  CHECK(Plan(later, policies, 12).sparing == ledger::Sparing{Day(1), Day(16)});
  CHECK(Plan(later, policies, 12).next_change == Day(16));
  CHECK(Plan(later, policies, 16).sparing == ledger::Sparing{Day(20), kNever});
}

TEST_CASE("Residence: the list's versions count from when they were set",
          "[unit][member][inv-70]") {
  const std::vector<Residence> residences = {From(5, "DE")};
  const std::vector<ResidencePolicy> policies = {Listed(0, {"FR"}), Listed(10, {"DE", "FR"}),
                                                 Listed(20, {}, 3)};
  CHECK(Plan(residences, policies, 15).sparing == ledger::Sparing{Day(10), Day(24)});
  CHECK(Plan(residences, {policies[0], policies[1]}, 15).sparing ==
        ledger::Sparing{Day(10), kNever});
  CHECK(Plan(residences, {policies[0]}, 15).sparing == ledger::Sparing());
  // What was noted last holds.
  CHECK(Plan({From(5, "FR", 1), From(5, "DE", 2)}, {policies[0]}, 6).sparing == ledger::Sparing());
  CHECK(Plan({}, policies, 15).sparing == ledger::Sparing());
}

TEST_CASE("Residence: a place is a code of ISO 3166", "[unit][member]") {
  for (const char* good : {"DE", "US-CA", "FR-2A", "GB-ENG", "AT-9"}) {
    INFO(good);
    CHECK(CheckPlace("place", good).ok());
  }
  for (const char* bad : {"", "D", "de", "DEU", "DE-", "US-CALI", "USxCA", "U1", "DE-b", "-DE"}) {
    INFO(bad);
    CHECK(ReasonOf(CheckPlace("place", bad)) == Reason::kRequestMalformed);
  }
}

}  // namespace
}  // namespace guilder::member
