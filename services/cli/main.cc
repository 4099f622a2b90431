// `guilder`: the operator's program.
#include <CLI/CLI.hpp>

#include "services/cli/bench/command.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/demo/command.h"
#include "services/cli/dev/commands.h"

namespace guilder::cli {
namespace {

void AddGlobalFlags(CLI::App& app, GlobalFlags& flags) {
  app.add_option("--network", flags.network,
                 "The network's file; else GUILDER_NETWORK, else ./guilder-data/network.json");
  app.add_option("--endpoint", flags.endpoint, "One host:port for all services, without a file");
  app.add_option("--as", flags.as, "Who calls: a role as in approver, or a partner");
  app.add_option("--token-file", flags.token_file,
                 "A file whose first line is the token or API key");
  app.add_option("--tls-ca", flags.tls_ca,
                 "A PEM file: the authorities to trust; plaintext if absent");
  app.add_option("--tls-certificate", flags.tls_certificate,
                 "A PEM file: the client certificate, which says who calls where --as does not");
  app.add_option("--tls-key", flags.tls_key, "A PEM file: its key");
  app.add_flag("--request-approval", flags.request_approval,
               "Asks for a second person's approval where the command needs one");
  app.add_option("-o,--output", flags.output, "How results are written")
      ->check(CLI::IsMember({"table", "json"}));
  app.add_option("--request-id", flags.request_id,
                 "A UUID: repeats an earlier attempt instead of making a new request");
  app.add_option("--timeout", flags.timeout_seconds, "Seconds until a call is given up")
      ->check(CLI::Range(1, 86'400));
  app.add_flag("--dry-run", flags.dry_run, "Only says what would happen, where that is possible");
}

int Main(int argc, char** argv) {
  CLI::App app(
      "Guilder: a coalition loyalty network.\n"
      "Exit codes: 0 done, 1 refused, 2 usage, 3 outcome unknown (repeat with the same "
      "--request-id).",
      "guilder");
  app.require_subcommand(1);
  app.fallthrough();
  Context context;
  AddGlobalFlags(app, context.flags());
  AddBenchCommand(app, context);
  AddDemoCommand(app, context);
  AddDevCommand(app, context);
  AddMigrateCommands(app, context);
  AddSetupCommand(app, context);
  AddNetworkCommands(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(context.Run());
}

}  // namespace
}  // namespace guilder::cli

int main(int argc, char** argv) {
  return guilder::cli::Main(argc, argv);
}
