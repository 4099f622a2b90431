#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/rpc/server.h"
#include "libs/telemetry/log.h"
#include "services/cli/context.h"
#include "services/cli/demo/plan.h"
#include "services/cli/dev/bootstrap.h"
#include "services/cli/dev/commands.h"
#include "services/cli/dev/network.h"
#include "services/cli/dev/samples.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

constexpr absl::Duration kDrain = absl::Seconds(10);

struct DevFlags {
  const std::string& data_directory;
  const std::string& ready_file;
  const std::string& listen;
  const bool& bare;
  const std::string& cycle;
  const std::string& time_zone;
};

void ShowWhatToTry(Output& output, const Network& facts, const std::string& data_directory) {
  output.Text("The network is up. Its services:");
  for (const auto& [service, endpoint] : facts.endpoints) {
    output.Text(absl::StrCat(
        "  ", service, std::string(12 - std::min<size_t>(11, service.size()), ' '), endpoint));
  }
  const std::string network = data_directory == "guilder-data"
                                  ? ""
                                  : absl::StrCat(" --network ", data_directory, "/network.json");
  output.Text("");
  output.Text("Try in another terminal:");
  const auto suggest = [&](const std::string& command) {
    output.Text(absl::StrCat("  guilder ", command, network));
  };
  suggest("partner list");
  if (!facts.partners.empty()) {
    suggest(absl::StrCat("partner show ", facts.partners.front().name));
    suggest(absl::StrCat("member show ", facts.partners.front().card));
  }
  suggest("clock advance 14d");
  suggest("ledger verify");
  output.Text("");
  output.Text("Ctrl-C stops it; the same command starts it again where it was.");
}

absl::Status RunDev(Context& context, const DevFlags& flags) {
  rpc::BlockStopSignals();
  telemetry::SetLogThreshold(telemetry::Severity::kWarning);
  // Whoever waits for the file must not find that of an earlier run.
  if (!flags.ready_file.empty()) unlink(flags.ready_file.c_str());

  dev::NetworkOptions options;
  if (!flags.data_directory.empty()) options.data_directory = flags.data_directory;
  if (!flags.listen.empty()) options.listen_host = flags.listen;
  options.programme.welcome_points = Points(demo::kWelcomePoints);
  GUILDER_RETURN_IF_ERROR(dev::SetCalendar(flags.cycle, flags.time_zone, options.programme));
  options.on_event = [](std::string_view what) { std::cerr << what << std::endl; };
  const std::string data_directory = options.data_directory;
  context.output().Text(absl::StrCat("Starting PostgreSQL and six services in ", data_directory));
  GUILDER_ASSIGN_OR_RETURN(const std::unique_ptr<dev::Network> network,
                           dev::Network::Start(std::move(options)));
  // Tokens before what they are used for, so that an interruption loses none.
  GUILDER_RETURN_IF_ERROR(network->Save());
  if (network->facts().partners.empty() && !flags.bare) {
    GUILDER_ASSIGN_OR_RETURN(auto partners, dev::AddSamplePartners(network->facts()));
    network->SetPartners(std::move(partners));
    GUILDER_RETURN_IF_ERROR(network->Save());
  }
  if (!flags.ready_file.empty()) {
    GUILDER_RETURN_IF_ERROR(WriteNetwork(flags.ready_file, network->facts()));
  }
  context.output().Json(
      {{"network", std::filesystem::absolute(data_directory + "/network.json").string()}});
  ShowWhatToTry(context.output(), network->facts(), data_directory);
  std::cout.flush();
  rpc::WaitForStopSignal();
  context.output().Text("Stopping");
  network->Stop(kDrain);
  return absl::OkStatus();
}

}  // namespace

void AddDevCommand(CLI::App& app, Context& context) {
  AddAction(
      app, context, "dev", "Runs the whole network here, on a PostgreSQL of its own",
      [&context](Arguments& arguments) -> std::function<absl::Status()> {
        const DevFlags flags{
            arguments.Text("--data-dir", "Where everything is kept; ./guilder-data if absent"),
            arguments.Text("--ready-file",
                           "Written when all services answer: endpoints, tokens and keys"),
            arguments.Text("--listen", "The address to listen on; 127.0.0.1 if absent"),
            arguments.Flag("--bare", "Without the sample partners"),
            arguments.Text("--cycle", dev::kCycleHelp),
            arguments.Text("--time-zone", dev::kTimeZoneHelp)};
        return [&context, flags] { return RunDev(context, flags); };
      });
}

}  // namespace guilder::cli
