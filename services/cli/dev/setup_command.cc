#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/postgres/migrator.h"
#include "libs/postgres/pool.h"
#include "libs/security/secrets.h"
#include "services/cli/context.h"
#include "services/cli/dev/bootstrap.h"
#include "services/cli/dev/commands.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

constexpr int64_t kWelcomePoints = 50;

struct SetupFlags {
  const std::string& dsn;
  const std::string& secrets;
  const std::string& network;
  const std::string& mode;
  const std::string& cycle;
  const std::string& time_zone;
};

// Where the executables listen when nothing else is said.
std::map<std::string, std::string> UsualEndpoints() {
  return {{"partner", "127.0.0.1:7401"},    {"accrual", "127.0.0.1:7402"},
          {"member", "127.0.0.1:7403"},     {"redemption", "127.0.0.1:7404"},
          {"settlement", "127.0.0.1:7405"}, {"operator", "127.0.0.1:7406"}};
}

absl::Status Setup(Context& context, const SetupFlags& flags) {
  ledger::ProgrammeSettings programme;
  programme.welcome_points = Points(kWelcomePoints);
  if (!flags.mode.empty()) programme.mode = flags.mode;
  if (programme.mode != "LIVE" && programme.mode != "SANDBOX" && programme.mode != "DEVELOPMENT") {
    return absl::InvalidArgumentError("--mode is LIVE, SANDBOX or DEVELOPMENT");
  }
  GUILDER_RETURN_IF_ERROR(dev::SetCalendar(flags.cycle, flags.time_zone, programme));
  GUILDER_ASSIGN_OR_RETURN(postgres::Connection connection, postgres::Connection::Open(flags.dsn));
  GUILDER_RETURN_IF_ERROR(postgres::MigrateUp(connection).status());
  GUILDER_ASSIGN_OR_RETURN(const security::Secrets secrets,
                           security::Secrets::LoadOrCreate(flags.secrets));
  postgres::Pool pool(flags.dsn, 1);
  Network network;
  network.dsn = flags.dsn;
  network.programme = programme.slug;
  network.endpoints = UsualEndpoints();
  GUILDER_ASSIGN_OR_RETURN(network.operators, dev::Bootstrap(pool, secrets, programme, {}));
  GUILDER_RETURN_IF_ERROR(WriteNetwork(flags.network, network));
  context.output().Json({{"network", flags.network}, {"secrets", flags.secrets}});
  context.output().Text(absl::StrCat(
      "The programme is set up. ", flags.network,
      " has its operators' tokens. Start each service with: guilder-SERVICE --dsn DSN --secrets ",
      flags.secrets));
  return absl::OkStatus();
}

}  // namespace

void AddSetupCommand(CLI::App& app, Context& context) {
  AddAction(
      app, context, "setup", "Sets up a programme and its operators in a database",
      [&context](Arguments& arguments) -> std::function<absl::Status()> {
        const SetupFlags flags{
            arguments.Text("--dsn", "The database: a libpq connection string or postgresql:// URI",
                           true),
            arguments.Text("--secrets", "The installation's file of secrets; made when missing",
                           true),
            arguments.Text("--network-file", "Written with the operators' tokens, for --network",
                           true),
            arguments.Text("--mode", "LIVE, SANDBOX or DEVELOPMENT; the last if absent"),
            arguments.Text("--cycle", dev::kCycleHelp),
            arguments.Text("--time-zone", dev::kTimeZoneHelp)};
        return [&context, flags] { return Setup(context, flags); };
      });
}

}  // namespace guilder::cli
