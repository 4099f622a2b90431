// Reads the programme's calendar.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"

#include "libs/base/types.h"
#include "libs/ledger/core/calendar.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::ledger {

// With its boundaries on demand and its holidays. Runs in the caller's transaction.
absl::StatusOr<Calendar> LoadCalendar(postgres::Transaction& transaction, ProgrammeId programme);

// A local date on which no window begins or ends by the cycle, and nothing falls due.
struct Holiday {
  absl::CivilDay day;
  std::string display_name;
  friend bool operator==(const Holiday&, const Holiday&) = default;
};

// Those from that day on, in order, at most so many.
std::vector<Holiday> ReadHolidays(postgres::Transaction& transaction, ProgrammeId programme,
                                  absl::CivilDay from, int limit);

}  // namespace guilder::ledger
