// The files that a demonstration leaves.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace guilder::cli::demo {

// Writes a file into a directory, which is made when missing. Gives the absolute path.
absl::StatusOr<std::string> WriteFile(const std::string& directory, const std::string& name,
                                      std::string_view content);

// What xmllint says of a payment file under the schema in the data folder: "valid", "NOT VALID", or
// "not checked" without an xmllint.
std::string CheckPaymentFile(const std::string& path, const std::string& data);

}  // namespace guilder::cli::demo
