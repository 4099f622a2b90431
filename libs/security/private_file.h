// Small files that only their owner may read.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace guilder::security {

// Errors, in one sentence: FAILED_PRECONDITION, it is missing, too large, or others may read it.
absl::StatusOr<std::string> ReadPrivateFile(const std::string& path);

// Makes the file, with mode 0600. Written whole under a name of its own and then linked, so that a
// reader never sees a part of it and the first of two writers wins. Error: FAILED_PRECONDITION.
absl::Status CreatePrivateFile(const std::string& path, const std::string& text);

// The same, in the place of one that may be there. It is on disk when this returns.
absl::Status ReplacePrivateFile(const std::string& path, const std::string& text);

}  // namespace guilder::security
