// Sets up a programme, and the operators who then bring in everything else.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/ledger/store/bootstrap.h"

namespace guilder::postgres {
class Pool;
}
namespace guilder::security {
class Secrets;
}

namespace guilder::cli::dev {

// Creates the programme unless the migrated database has one, and an operator for each role: admin,
// submitter, reviewer, approver, finance, finance_approver, support, auditor. Gives their tokens:
// `tokens`, or new ones when it is empty, which replace those that there were.
absl::StatusOr<std::map<std::string, std::string>> Bootstrap(
    postgres::Pool& pool, const security::Secrets& secrets,
    const ledger::ProgrammeSettings& programme, std::map<std::string, std::string> tokens);

// What a fresh programme is told of its windows.
inline constexpr char kCycleHelp[] =
    "Of a fresh programme: windows are DAILY, WEEKLY, MONTHLY, or end ON_DEMAND only; monthly if "
    "absent";
inline constexpr char kTimeZoneHelp[] =
    "Of a fresh programme: its time zone; Europe/Berlin if absent";
// Empty texts leave what is there. Error: INVALID_ARGUMENT.
absl::Status SetCalendar(const std::string& cycle, const std::string& time_zone,
                         ledger::ProgrammeSettings& programme);

}  // namespace guilder::cli::dev
