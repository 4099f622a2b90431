// Files that commands read and write.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace guilder::cli {

// Writes the file beside its final name first, so that no reader sees half of it. Error:
// FAILED_PRECONDITION, it cannot be written.
absl::Status WriteFile(const std::string& path, const std::string& bytes);

// The first line of a file, because secrets are never on the command line; nothing for no path.
// Error: INVALID_ARGUMENT, it cannot be read.
absl::StatusOr<std::string> SecretIn(const std::string& path);

// Where to write what a server calls `suggested`: under `out`, or that name in this folder. The
// server's name is a suggestion: never a way to another folder.
std::string OutputPath(const std::string& out, const std::string& suggested);

}  // namespace guilder::cli
