// What every till must be able to do, each tried against a network.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "services/cli/certify/till.h"

namespace guilder::cli::certify {

struct Duty {
  const char* name;  // "RETRY"
  const char* text;  // What a till does, in a sentence.
  // OK when all came as a till must expect; otherwise what came instead. UNIMPLEMENTED: does not
  // concern this partner, and why.
  absl::Status (*run)(Till& till);
};

// In the order in which they are tried.
const std::vector<Duty>& Duties();

}  // namespace guilder::cli::certify
