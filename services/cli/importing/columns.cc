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
  if (std::find(found + 1, header.end(), source.column) != header.end()) {
    return absl::InvalidArgumentError(absl::StrCat("the file has two columns ", source.column));
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

std::string WrongWidth(const std::vector<std::string_view>& fields, size_t width) {
  bool wrong = fields.size() < width;
  for (size_t i = width; i < fields.size(); ++i) wrong = wrong || !fields[i].empty();
  return wrong ? absl::StrCat("it has ", fields.size(), " fields, the header ", width) : "";
}

std::optional<std::string> WithoutThousands(std::string_view text, const FileForm& form) {
  if (form.thousands == '\0' || text.find(form.thousands) == std::string_view::npos) {
    return std::string(text);
  }
  constexpr size_t kGroup = 3;
  const char ends[] = {form.decimal, 'e', 'E', '\0'};
  const size_t end = std::min(text.find_first_of(ends), text.size());
  if (text.find(form.thousands, end) != std::string_view::npos) return std::nullopt;
  std::string plain;
  size_t digits = 0;  // since the last separator
  bool separated = false;
  for (const char c : text.substr(0, end)) {
    if (c != form.thousands) {
      plain += c;
      if (c >= '0' && c <= '9') ++digits;
      continue;
    }
    const bool fits = separated ? digits == kGroup : digits >= 1 && digits <= kGroup;
    if (!fits) return std::nullopt;
    separated = true;
    digits = 0;
  }
  if (digits != kGroup) return std::nullopt;
  return plain.append(text.substr(end));
}

}  // namespace guilder::cli::importing
