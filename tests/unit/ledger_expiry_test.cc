#include <string>

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/ledger/core/expiry.h"
#include "tests/support/catch2.h"

namespace guilder::ledger {
namespace {

absl::TimeZone Zone(const std::string& name) {
  absl::TimeZone zone;
  REQUIRE(absl::LoadTimeZone(name, &zone));
  return zone;
}

Timestamp At(const absl::TimeZone& zone, int year, int month, int day, int hour = 12) {
  return FromAbslTime(absl::FromCivil(absl::CivilSecond(year, month, day, hour), zone));
}

// The last local second at which the points may be spent.
std::string LastSecond(const ExpiryPolicy& policy, const absl::TimeZone& zone, Timestamp earned_at,
                       int life_days = 0) {
  const Timestamp expires_at = ExpiresAt(policy, earned_at, life_days, zone);
  if (expires_at == kNever) return "never";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", ToAbslTime(expires_at - Timestamp(kMicrosPerSecond)),
                          zone);
}

ExpiryPolicy Policy(ExpiryKind kind, int months = 0, int month = 12, int day = 31) {
  return {Timestamp(), kind, months, month, day};
}

TEST_CASE("Expiry: every policy ends with a local day, in every zone", "[unit][ledger][inv-63]") {
  for (const char* name : {"Etc/GMT+8", "Pacific/Kiritimati", "UTC", "Europe/Moscow"}) {
    INFO(name);
    const absl::TimeZone zone = Zone(name);
    // Just before midnight, where another zone has another day.
    const Timestamp earned = At(zone, 2026, 1, 31, 23);
    CHECK(LastSecond(Policy(ExpiryKind::kMonths, 1), zone, earned) == "2026-02-28 23:59:59");
    CHECK(LastSecond(Policy(ExpiryKind::kMonths, 25), zone, earned) == "2028-02-29 23:59:59");
    CHECK(LastSecond(Policy(ExpiryKind::kEndOfMonth, 0), zone, earned) == "2026-01-31 23:59:59");
    CHECK(LastSecond(Policy(ExpiryKind::kEndOfMonth, 1), zone, earned) == "2026-02-28 23:59:59");
    CHECK(LastSecond(Policy(ExpiryKind::kEndOfYear, 0), zone, earned) == "2026-12-31 23:59:59");
    CHECK(LastSecond(Policy(ExpiryKind::kEndOfYear, 12), zone, earned) == "2027-12-31 23:59:59");
    CHECK(LastSecond(Policy(ExpiryKind::kFixedDate, 0, 9, 30), zone, earned) ==
          "2026-09-30 23:59:59");
    CHECK(LastSecond(Policy(ExpiryKind::kFixedDate, 12, 9, 30), zone, earned) ==
          "2027-09-30 23:59:59");
    CHECK(LastSecond(Policy(ExpiryKind::kByContract), zone, earned, 30) == "2026-03-02 23:59:59");
    CHECK(LastSecond(Policy(ExpiryKind::kByContract), zone, earned) == "never");
    CHECK(LastSecond(Policy(ExpiryKind::kNever), zone, earned, 30) == "never");
  }
}

TEST_CASE("Expiry: a yearly date that has come is next year's the day after",
          "[unit][ledger][inv-63]") {
  const absl::TimeZone zone = Zone("Europe/Berlin");
  const ExpiryPolicy policy = Policy(ExpiryKind::kFixedDate, 0, 9, 30);

  CHECK(LastSecond(policy, zone, At(zone, 2026, 9, 30, 23)) == "2026-09-30 23:59:59");
  CHECK(LastSecond(policy, zone, At(zone, 2026, 10, 1, 0)) == "2027-09-30 23:59:59");
}

TEST_CASE("Expiry: leap days and both days of changing clocks", "[unit][ledger][inv-63]") {
  const absl::TimeZone berlin = Zone("Europe/Berlin");
  CHECK(LastSecond(Policy(ExpiryKind::kMonths, 12), berlin, At(berlin, 2028, 2, 29)) ==
        "2029-02-28 23:59:59");
  CHECK(LastSecond(Policy(ExpiryKind::kFixedDate, 0, 2, 29), berlin, At(berlin, 2027, 1, 1)) ==
        "2027-02-28 23:59:59");
  // The day has 23 hours, and 25.
  const ExpiryPolicy month = Policy(ExpiryKind::kMonths, 1);
  const Timestamp spring = ExpiresAt(month, At(berlin, 2026, 2, 28), 0, berlin);
  CHECK(LastSecond(month, berlin, At(berlin, 2026, 2, 28)) == "2026-03-28 23:59:59");
  CHECK(ExpiresAt(month, At(berlin, 2026, 3, 1), 0, berlin) - spring ==
        Timestamp(4 * kMicrosPerDay - 3'600 * kMicrosPerSecond));
  const Timestamp autumn = ExpiresAt(month, At(berlin, 2026, 9, 24), 0, berlin);
  CHECK(ExpiresAt(month, At(berlin, 2026, 9, 25), 0, berlin) - autumn ==
        Timestamp(kMicrosPerDay + 3'600 * kMicrosPerSecond));
  // In Beirut clocks go forward at midnight: that day begins at one.
  const absl::TimeZone beirut = Zone("Asia/Beirut");
  CHECK(LastSecond(Policy(ExpiryKind::kMonths, 3), beirut, At(beirut, 2024, 12, 29)) ==
        "2025-03-29 23:59:59");
}

TEST_CASE("Expiry: a policy that makes no sense is refused", "[unit][ledger]") {
  CHECK(CheckPolicy(Policy(ExpiryKind::kMonths, 24)).ok());
  for (const ExpiryPolicy& policy :
       {Policy(ExpiryKind::kMonths, 0), Policy(ExpiryKind::kEndOfMonth, -1),
        Policy(ExpiryKind::kEndOfYear, 241), Policy(ExpiryKind::kFixedDate, 0, 13, 1),
        Policy(ExpiryKind::kFixedDate, 0, 9, 0), Policy(static_cast<ExpiryKind>(7), 1),
        Policy(ExpiryKind::kInactivity, 12)}) {
    CHECK(ReasonOf(CheckPolicy(policy)) == Reason::kRequestMalformed);
  }
}

}  // namespace
}  // namespace guilder::ledger
