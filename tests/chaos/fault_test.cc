// Goal: whatever fails, what a till was told is in the ledger once, nothing else is, and the
// network is healthy again by itself within five seconds.
// Method: the service executables and PostgreSQL as processes, tills as processes that repeat each
// request until it is answered and log the answers, and faults of every kind at random moments;
// after each, the logs are compared with the journal and the ledger is verified.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "absl/time/time.h"

#include "tests/chaos/storm.h"
#include "tests/support/catch2.h"

namespace guilder::testing {
namespace {

long FromEnvironment(const char* name, long otherwise) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::atol(value) : otherwise;
}

TEST_CASE("Network: kills, cuts and full disks lose no answered request and double none",
          "[chaos][faults][inv-11][inv-13]") {
  StormOptions options;
  options.kills = static_cast<int>(FromEnvironment("GUILDER_FAULT_KILLS", 50));
  options.at_least = absl::Minutes(FromEnvironment("GUILDER_FAULT_MINUTES", 0));
  options.seed = static_cast<unsigned>(FromEnvironment("GUILDER_FAULT_SEED", 0));
  if (options.seed == 0) options.seed = std::random_device()() % 1'000'000 + 1;
  std::cout << "seed " << options.seed << std::endl;
  const TemporaryDirectory directory;

  const StormReport report = RunStorm(directory.path(), options);

  std::cout << report.ToText() << std::flush;
  INFO(report.last_words);
  CHECK(report.problem == "");
  CHECK(report.kills >= options.kills);
  CHECK(report.accepted > 10 * static_cast<int64_t>(report.recovery_ms.size()));
}

}  // namespace
}  // namespace guilder::testing
