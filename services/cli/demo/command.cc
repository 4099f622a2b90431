#include "services/cli/demo/command.h"

#include <filesystem>
#include <functional>
#include <string>
#include <system_error>

#include "absl/strings/numbers.h"

#include "libs/base/status_macros.h"
#include "libs/telemetry/log.h"
#include "services/cli/context.h"
#include "services/cli/demo/demo.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace fs = std::filesystem;

struct DemoFlags {
  const std::string& data;
  const std::string& purchases;
  const std::string& data_directory;
  const std::string& output_directory;
  const std::string& share;
  const bool& keep;
};

// Beside the program in the source tree, which is in build/<preset>/bin; or where it was started.
std::string FindData() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& candidate : {program / "../../../tests/data", fs::path("tests/data"),
                                    program / "../share/guilder/data"}) {
    if (fs::exists(candidate / "online_retail.csv.xz", error)) {
      return fs::weakly_canonical(candidate, error).string();
    }
  }
  return "tests/data";
}

absl::StatusOr<demo::DemoOptions> OptionsFrom(const GlobalFlags& global, const DemoFlags& flags) {
  demo::DemoOptions options;
  options.data = flags.data.empty() ? FindData() : flags.data;
  options.purchases = flags.purchases;
  options.network_file = global.network;
  options.data_directory = flags.data_directory;
  options.keep = flags.keep;
  if (!flags.output_directory.empty()) options.output_directory = flags.output_directory;
  if (!flags.share.empty() &&
      (!absl::SimpleAtoi(flags.share, &options.share) || options.share < 1)) {
    return absl::InvalidArgumentError("--share must be a whole number above zero");
  }
  if (!options.network_file.empty() && !options.data_directory.empty()) {
    return absl::InvalidArgumentError("--network and --data-dir exclude each other");
  }
  return options;
}

}  // namespace

void AddDemoCommand(CLI::App& app, Context& context) {
  AddAction(
      app, context, "demo", "Runs a whole coalition on a year of real purchases",
      [&context](Arguments& arguments) -> std::function<absl::Status()> {
        const DemoFlags flags{
            arguments.Text("--data", "The folder with the purchase data; tests/data if absent"),
            arguments.Text("--purchases",
                           "A complete data set with the columns of Online Retail or of Complete "
                           "Journey's transactions, plain or .xz"),
            arguments.Text("--data-dir",
                           "Where the network's data is kept; a directory that is removed at the "
                           "end if absent"),
            arguments.Text("--output-dir",
                           "Where payment file, redemptions and figures go; ./guilder-data/demo if "
                           "absent"),
            arguments.Text("--share", "Takes every so many-th member only"),
            arguments.Flag("--keep", "Keeps the network's data")};
        return [&context, flags]() -> absl::Status {
          telemetry::SetLogThreshold(telemetry::Severity::kWarning);
          GUILDER_ASSIGN_OR_RETURN(const demo::DemoOptions options,
                                   OptionsFrom(context.flags(), flags));
          return demo::RunDemo(options, context.output(), context.error_terminal());
        };
      });
}

}  // namespace guilder::cli
