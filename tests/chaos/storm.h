// Faults under load: tills are served, faults come and go, and after each the books must be right.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"

#include "tests/chaos/audit.h"
#include "tests/chaos/faults.h"
#include "tests/chaos/service_processes.h"
#include "tests/chaos/small_disk.h"
#include "tests/support/child_process.h"

namespace guilder::testing {

struct StormOptions {
  // How often a process is killed or stopped, at least; other faults come besides.
  int kills = 50;
  // How long it goes on, at least.
  absl::Duration at_least;
  unsigned seed = 0;
  int tills = 3;
  int customers_per_till = 5;
};

struct StormReport {
  std::map<FaultKind, int> injected;
  // How often a fault was to be injected and could not be.
  std::map<FaultKind, int> no_occasion;
  int kills = 0;
  absl::Duration took;
  // From the end of a fault to the first purchase that is answered, in order.
  std::vector<double> recovery_ms;
  int64_t accepted = 0;
  int64_t refused = 0;
  // Why the disk was never full; empty when it was.
  std::string no_disk;
  // The first thing that went wrong, or a fault that was never injected; empty when all was well.
  std::string problem;
  // Then, the ends of all logs.
  std::string last_words;

  // Several lines.
  std::string ToText() const;
};

// Starts everything in `directory`, and ends it all. To be called while this process has one
// thread. Whatever cannot be set up throws.
StormReport RunStorm(const std::string& directory, const StormOptions& options);

}  // namespace guilder::testing
