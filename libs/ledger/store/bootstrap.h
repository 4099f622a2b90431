// Sets up a programme and its books in a migrated database.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"

#include "libs/base/types.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::ledger {

struct ProgrammeSettings {
  std::string slug = "guilder";
  std::string display_name = "Guilder";
  Currency currency{'E', 'U', 'R'};
  int currency_exponent = 2;
  std::string time_zone = "Europe/Berlin";
  // LIVE, SANDBOX or DEVELOPMENT.
  std::string mode = "DEVELOPMENT";
  // DAILY, WEEKLY, MONTHLY or ON_DEMAND.
  std::string cycle = "MONTHLY";
  // What a new member gets, at the expense of the operator-partner.
  Points welcome_points;
  int books = 16;
  // What the clock shows at the start, which is when the first window begins; the database's time
  // if absent.
  std::optional<Timestamp> clock;
};

// INVALID_ARGUMENT, the cycle is none, or this machine does not know the time zone.
absl::Status CheckSettings(const ProgrammeSettings& settings);

// Inserts the programme, its configuration and its books, each with a secret of its own, and makes
// the partitions for the months until a year from now. Gives false, and changes nothing, when the
// database has a programme. Safe against two callers at once.
//
// Runs in the caller's transaction.
bool CreateProgramme(postgres::Transaction& transaction, const ProgrammeSettings& settings);

}  // namespace guilder::ledger
