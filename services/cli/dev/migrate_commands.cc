#include <string>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/migrator.h"
#include "libs/postgres/roles.h"
#include "services/cli/context.h"
#include "services/cli/dev/commands.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

using Json = nlohmann::ordered_json;

absl::Status MigrateUp(Context& context, const std::string& dsn) {
  GUILDER_ASSIGN_OR_RETURN(postgres::Connection connection, postgres::Connection::Open(dsn));
  GUILDER_ASSIGN_OR_RETURN(const std::vector<int> applied, postgres::MigrateUp(connection));
  GUILDER_RETURN_IF_ERROR(postgres::RenewRoles(connection));
  context.output().Json({{"applied", applied}, {"version", postgres::LatestVersion()}});
  context.output().Text(
      applied.empty()
          ? absl::StrCat("The schema is at version ", postgres::LatestVersion(), " already")
          : absl::StrCat("Applied ", absl::StrJoin(applied, ", "), "; the schema is at version ",
                         postgres::LatestVersion()));
  return absl::OkStatus();
}

absl::Status MakeRoles(Context& context, const std::string& dsn) {
  GUILDER_ASSIGN_OR_RETURN(postgres::Connection connection, postgres::Connection::Open(dsn));
  GUILDER_RETURN_IF_ERROR(postgres::MakeRoles(connection));
  context.output().Json({{"roles", "made"}});
  context.output().Text(
      "Each service has a role, guilder_SERVICE, that writes its own tables and no others");
  return absl::OkStatus();
}

absl::Status ShowMigrations(Context& context, const std::string& dsn) {
  GUILDER_ASSIGN_OR_RETURN(postgres::Connection connection, postgres::Connection::Open(dsn));
  GUILDER_ASSIGN_OR_RETURN(const postgres::MigrationStatusReport report,
                           postgres::MigrationStatus(connection));
  Json rows = Json::array();
  for (const postgres::AppliedMigration& migration : report.applied) {
    rows.push_back({{"version", migration.version},
                    {"slug", migration.slug},
                    {"state", "APPLIED"},
                    {"applied_at", FormatTimestamp(migration.applied_at)}});
  }
  for (const postgres::Migration& migration : report.pending) {
    rows.push_back(
        {{"version", migration.version}, {"slug", migration.slug}, {"state", "PENDING"}});
  }
  context.output().List(rows, {{"Version", "version"},
                               {"Name", "slug"},
                               {"State", "state"},
                               {"Applied", "applied_at", Show::kTime}});
  return absl::OkStatus();
}

using MigrateAction = absl::Status (*)(Context&, const std::string&);

void AddMigrateCommand(CLI::App& noun, Context& context, const std::string& name,
                       const std::string& help, MigrateAction action) {
  AddAction(noun, context, name, help,
            [&context, action](Arguments& arguments) -> std::function<absl::Status()> {
              const std::string& dsn = arguments.Text(
                  "--dsn", "The database: a libpq connection string or postgresql:// URI", true);
              return [&context, &dsn, action] { return action(context, dsn); };
            });
}

}  // namespace

void AddMigrateCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "migrate", "The schema of a database");
  AddMigrateCommand(noun, context, "up", "Applies the migrations that are missing", MigrateUp);
  AddMigrateCommand(noun, context, "roles",
                    "Makes one database role for each service, with what it writes and no more",
                    MakeRoles);
  AddMigrateCommand(noun, context, "status", "Lists the migrations and which are applied",
                    ShowMigrations);
}

}  // namespace guilder::cli
