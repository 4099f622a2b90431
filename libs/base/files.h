// Reading files whole.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/statusor.h"

namespace guilder {

// All bytes of a file. Errors: INVALID_ARGUMENT, it cannot be opened or read, as a folder cannot
// and as nobody can read of a process that has ended; REQUEST_TOO_LARGE (reason.h), it has more
// than `most` bytes and was not read.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     uint64_t most = std::numeric_limits<uint64_t>::max());

}  // namespace guilder
