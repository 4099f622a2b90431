#include "services/cli/bench/command.h"

#include <fstream>
#include <functional>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "libs/base/status_macros.h"
#include "libs/telemetry/log.h"
#include "services/cli/bench/bench.h"
#include "services/cli/context.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

struct BenchFlags {
  const std::string& profile;
  const std::string& seconds;
  const std::string& only;
  const std::string& csv;
};

absl::StatusOr<bench::Profile> ProfileFrom(const BenchFlags& flags) {
  bench::Profile profile = bench::QuickProfile();
  if (flags.profile == "full") {
    profile = bench::FullProfile();
  } else if (!flags.profile.empty() && flags.profile != "quick") {
    return absl::InvalidArgumentError("--profile is quick or full");
  }
  if (!flags.seconds.empty() &&
      (!absl::SimpleAtoi(flags.seconds, &profile.seconds) || profile.seconds < 1)) {
    return absl::InvalidArgumentError("--seconds must be a whole number above zero");
  }
  if (!flags.only.empty()) profile.only = absl::StrSplit(flags.only, ',');
  return profile;
}

absl::Status WriteText(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  if (out << text && out.flush()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("cannot write ", path));
}

absl::Status Run(Context& context, const BenchFlags& flags) {
  telemetry::SetLogThreshold(telemetry::Severity::kError);
  GUILDER_ASSIGN_OR_RETURN(const bench::Profile profile, ProfileFrom(flags));
  const bool tell = context.error_terminal().interactive;
  GUILDER_ASSIGN_OR_RETURN(const bench::Figures figures,
                           bench::RunBench(profile, [tell](const std::string& step) {
                             if (tell) std::cerr << step << std::endl;
                           }));
  if (!flags.csv.empty()) GUILDER_RETURN_IF_ERROR(WriteText(flags.csv, bench::ToCsv(figures)));
  Output& output = context.output();
  output.Json(bench::ToJson(figures));
  if (!output.json()) bench::Show(figures, output);
  if (!figures.verify_ok) return absl::DataLossError("a check of the ledger does not hold");
  return absl::OkStatus();
}

}  // namespace

void AddBenchCommand(CLI::App& app, Context& context) {
  AddAction(app, context, "bench",
            "Measures a network of its own beside what its PostgreSQL can do at best",
            [&context](Arguments& arguments) -> std::function<absl::Status()> {
              const BenchFlags flags{
                  arguments.Text("--profile", "quick, about two minutes, or full, half an hour"),
                  arguments.Text("--seconds", "How long each figure is measured in a round"),
                  arguments.Text("--only", "Some figures, as in streamed_per_second,latency"),
                  arguments.Text("--csv", "A file for the raw samples")};
              return [&context, flags] { return Run(context, flags); };
            });
}

}  // namespace guilder::cli
