// A process that serves the lanes of a test: guilder-model-lanes DSN LANES BATCH_TIME_LIMIT.
#include <cstdio>
#include <exception>
#include <string>

#include "absl/time/time.h"

#include "tests/model/lane_process.h"

int main(int argc, char** argv) {
  guilder::ledger::LanesOptions options;
  if (argc != 4 || !absl::ParseDuration(argv[3], &options.batch_time_limit)) return 2;
  options.dsn = argv[1];
  try {
    options.lanes = std::stoi(argv[2]);
    return guilder::model::ServeOrders(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "guilder-model-lanes: %s\n", error.what());
    return 1;
  }
}
