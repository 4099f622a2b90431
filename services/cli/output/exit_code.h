// What the shell learns, and what a person reads when a call did not succeed.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace guilder::cli {

enum class ExitCode {
  kDone = 0,
  kRefused = 1,
  kUsage = 2,
  // The call may or may not have been carried out: repeat it with the same request id.
  kOutcomeUnknown = 3,
};

ExitCode ExitCodeOf(const absl::Status& status);

// Several lines, ending in a newline:
//
//     refused: INSUFFICIENT_POINTS: fewer points are available than asked for
//       available_points: 40
//
// A status without a reason is told by its code. `request_id` may be empty; otherwise an unknown
// outcome says how to repeat the call safely.
std::string ErrorText(const absl::Status& status, const std::string& request_id);

}  // namespace guilder::cli
