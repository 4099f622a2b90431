#include "services/cli/dev/bootstrap.h"

#include "libs/base/status_macros.h"
#include "libs/postgres/pool.h"
#include "services/cli/dev/store/operators.h"

namespace guilder::cli::dev {

absl::StatusOr<std::map<std::string, std::string>> Bootstrap(
    postgres::Pool& pool, const security::Secrets& secrets,
    const ledger::ProgrammeSettings& programme, std::map<std::string, std::string> tokens) {
  if (tokens.empty()) tokens = NewTokens();
  GUILDER_RETURN_IF_ERROR(pool.Run([&](postgres::Transaction& transaction) {
    ledger::CreateProgramme(transaction, programme);
    PutOperators(transaction, secrets, tokens);
    return absl::OkStatus();
  }));
  return tokens;
}

absl::Status SetCalendar(const std::string& cycle, const std::string& time_zone,
                         ledger::ProgrammeSettings& programme) {
  if (!cycle.empty()) programme.cycle = cycle;
  if (!time_zone.empty()) programme.time_zone = time_zone;
  return ledger::CheckSettings(programme);
}

}  // namespace guilder::cli::dev
