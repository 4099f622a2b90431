// What a row says about one thing. Pure.
#pragma once

#include <optional>
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

  // Error: INVALID_ARGUMENT, the header has no such column, or has it twice.
  static absl::StatusOr<Placed> In(const std::vector<std::string_view>& header,
                                   const Source& source);
};

// Trimmed, and translated as the source says.
std::string TextOf(const Placed& placed, const std::vector<std::string_view>& fields);

// What is wrong with how many fields a row has; empty for nothing. Fields beyond the header's may
// be there as long as they are empty: others are what a delimiter inside of a field leaves behind.
std::string WrongWidth(const std::vector<std::string_view>& fields, size_t width);

// A number without its thousands separators. Nothing where one does not stand before a group of
// three digits of the whole part: "12.34" is no 1234, whatever the separator.
std::optional<std::string> WithoutThousands(std::string_view text, const FileForm& form);

}  // namespace guilder::cli::importing
