#include "services/cli/importing/columns.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "libs/base/text.h"

namespace guilder::cli::importing {

absl::StatusOr<Placed> Placed::In(const std::vector<std::string_view>& header,
                                  const Source& source) {
  Placed placed{&source, -1};
  if (source.column.empty()) return placed;
  const auto found = std::find(header.begin(), header.end(), source.column);
  if (found == header.end()) {
    return absl::InvalidArgumentError(absl::StrCat("the file has no column ", source.column));
  }
  placed.place = static_cast<int>(found - header.begin());
  return placed;
}

std::string TextOf(const Placed& placed, const std::vector<std::string_view>& fields) {
  const Source& source = *placed.source;
  if (placed.place < 0) return source.constant;
  const auto place = static_cast<size_t>(placed.place);
  const std::string_view text = place < fields.size() ? fields[place] : std::string_view();
  const absl::string_view trimmed = absl::StripAsciiWhitespace(ToAbsl(text));
  const auto value = source.values.find(std::string_view(trimmed.data(), trimmed.size()));
  if (value != source.values.end()) return value->second;
  return source.otherwise ? *source.otherwise : std::string(trimmed);
}

}  // namespace guilder::cli::importing
