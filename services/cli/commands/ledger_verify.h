// `guilder ledger verify`.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace guilder::cli {

class Context;

// What the command line says; lives as long as the command.
struct VerifyFlags {
  const std::string& dsn;
  const std::string& jobs;
  const std::string& state;
  const bool& since_last;
};

// Shows every check, and what was proved. ABORTED when something does not hold.
absl::Status VerifyLedger(Context& context, const VerifyFlags& flags);

}  // namespace guilder::cli
