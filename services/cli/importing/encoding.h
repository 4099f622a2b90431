// Texts in other encodings.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace guilder::cli::importing {

// The text in another encoding, as iconv(3) knows it.
//
// Error: INVALID_ARGUMENT, there is no such encoding, or the text is not in it; then with the line.
absl::StatusOr<std::string> Recode(std::string_view text, const std::string& from,
                                   const std::string& to);

}  // namespace guilder::cli::importing
