// A whole coalition on real purchases, over gRPC, from onboarding to the payment file.
#pragma once

#include <string>

#include "absl/status/status.h"

#include "services/cli/output/output.h"

namespace guilder::cli::demo {

struct DemoOptions {
  // The folder with the purchase data that the source tree ships.
  std::string data;
  // A complete file in place of one of them, told by its columns.
  std::string purchases;
  // A running network's file; empty for a network of our own.
  std::string network_file;
  // Of our own network; empty for a fresh directory that is removed at the end unless `keep`.
  std::string data_directory;
  bool keep = false;
  // Where payment file, redemptions and figures go.
  std::string output_directory = "guilder-data/demo";
  // Takes every so many-th member only.
  int share = 1;
};

// Runs it and shows the result. May be interrupted and started again on the same network and the
// same day: it repeats its requests under their ids, and ends with the same figures.
//
// Errors: what the calls gave; DATA_LOSS when a check does not hold.
absl::Status RunDemo(const DemoOptions& options, Output& output, const Terminal& error_terminal);

}  // namespace guilder::cli::demo
