// What a row says about one thing. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "services/cli/importing/mapping.h"

namespace guilder::cli::importing {

// A source, and where its column stands; -1 for a constant. The source outlives it.
struct Placed {
  const Source* source = nullptr;
  int place = -1;

  // Error: INVALID_ARGUMENT, the header has no such column.
  static absl::StatusOr<Placed> In(const std::vector<std::string_view>& header,
                                   const Source& source);
};

// Trimmed, and translated as the source says.
std::string TextOf(const Placed& placed, const std::vector<std::string_view>& fields);

}  // namespace guilder::cli::importing
