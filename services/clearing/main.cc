// guilder-clearing: does once what is due, and ends. A timer starts it again and again.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/ledger/store/due.h"
#include "libs/ledger/store/lanes.h"
#include "libs/ledger/store/sealing.h"
#include "libs/postgres/migrator.h"
#include "libs/postgres/pool.h"
#include "libs/telemetry/log.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/store/computing.h"

namespace guilder::clearing {
namespace {

constexpr int kFailed = 1;
constexpr int kCannotStart = 2;

absl::Status CheckDatabase(const std::string& dsn) {
  GUILDER_ASSIGN_OR_RETURN(postgres::Connection connection, postgres::Connection::Open(dsn));
  return postgres::CheckSchema(connection, postgres::LatestVersion(), postgres::LatestVersion());
}

absl::Status SealWhatEnded(postgres::Pool& pool) {
  GUILDER_ASSIGN_OR_RETURN(const std::vector<ledger::Window> sealed,
                           ledger::SealEndedWindows(pool));
  for (const ledger::Window& window : sealed) {
    telemetry::Log(
        telemetry::Severity::kInfo, "window sealed",
        {{"start", FormatTimestamp(window.start)}, {"end", FormatTimestamp(window.end)}});
  }
  return absl::OkStatus();
}

absl::Status ComputeWhatIsDue(postgres::Pool& pool) {
  GUILDER_ASSIGN_OR_RETURN(const std::vector<settlement::Settlement> computed,
                           settlement::ComputeDueSettlements(pool));
  for (const settlement::Settlement& settlement : computed) {
    telemetry::Log(telemetry::Severity::kInfo, "settlement computed",
                   {{"settlement", settlement::SettlementName(settlement.id)},
                    {"start", FormatTimestamp(settlement.start)},
                    {"end", FormatTimestamp(settlement.end)}});
  }
  return absl::OkStatus();
}

// What fell due on accounts that no command came to. By one lane, beside those of the services.
absl::Status SweepWhatIsDue(const std::string& dsn, postgres::Pool& pool) {
  auto started = ledger::Lanes::Start({.dsn = dsn, .lanes = 1});
  // Before there is a programme nothing is due.
  if (absl::IsFailedPrecondition(started.status())) return absl::OkStatus();
  GUILDER_ASSIGN_OR_RETURN(const std::unique_ptr<ledger::Lanes> lanes, std::move(started));
  std::optional<ledger::AccountCursor> from = ledger::AccountCursor();
  int64_t brought_up = 0;
  while (from) {
    GUILDER_ASSIGN_OR_RETURN(const ledger::SweepResult swept,
                             ledger::SweepDue(pool, *lanes, *from, {}));
    brought_up += swept.accounts_brought_up;
    from = swept.next;
  }
  if (brought_up > 0) {
    telemetry::Log(telemetry::Severity::kInfo, "accounts brought up to date",
                   {{"accounts", std::to_string(brought_up)}});
  }
  return absl::OkStatus();
}

absl::Status Clear(const std::string& dsn) {
  postgres::SessionSettings session;
  session.application_name = "guilder-clearing";
  postgres::Pool pool(dsn, 1, session);
  GUILDER_RETURN_IF_ERROR(SweepWhatIsDue(dsn, pool));
  GUILDER_RETURN_IF_ERROR(SealWhatEnded(pool));
  return ComputeWhatIsDue(pool);
}

int Fail(const absl::Status& status, int exit_code) {
  std::fprintf(stderr, "guilder-clearing: %s\n", std::string(status.message()).c_str());
  return exit_code;
}

int Run(int argc, char** argv) {
  CLI::App app(
      "Posts what fell due, seals the windows that have ended, and computes what is due. Safe to "
      "run at any time, as "
      "often as wanted, and "
      "several at once.",
      "guilder-clearing");
  std::string dsn;
  app.set_config("--config", "", "Read flags from this file (TOML)");
  app.add_option(
         "--dsn", dsn,
         "The database: a libpq connection string or postgresql:// URI. Keep passwords out of "
         "it: in the environment or in a passfile")
      ->envname("GUILDER_DSN")
      ->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kCannotStart;
  }
  if (const absl::Status status = CheckDatabase(dsn); !status.ok()) {
    return Fail(status, kCannotStart);
  }
  if (const absl::Status status = Clear(dsn); !status.ok()) return Fail(status, kFailed);
  return 0;
}

}  // namespace
}  // namespace guilder::clearing

int main(int argc, char** argv) {
  return guilder::clearing::Run(argc, argv);
}
