// What people say for each other with a request.
#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace guilder::rpc {

inline constexpr size_t kMostNoteBytes = 500;

// Error: REQUEST_MALFORMED, it is no line of text of that length at most; naming the field `note`.
absl::Status CheckNote(std::string_view note);

}  // namespace guilder::rpc
