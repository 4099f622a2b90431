// What the commands of purchases share.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace CLI {
class App;
}  // namespace CLI

namespace guilder::cli {

class Context;

// Splits "a=1,b=2" and hands each pair to `set`.
template <typename Set>
absl::Status ForEachPair(const std::string& text, const Set& set) {
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  for (const std::string& part : parts) {
    const std::vector<std::string> pair = absl::StrSplit(part, absl::MaxSplits('=', 1));
    if (pair.size() != 2) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected NAME=VALUE, not '", part, "', in '", text, "'"));
    }
    GUILDER_RETURN_IF_ERROR(set(pair[0], pair[1]));
  }
  return absl::OkStatus();
}

// When it happened: --at, else now, which is told on stderr with the request id, because a repeat
// must say the same.
absl::StatusOr<std::string> OccurrenceTime(const std::string& at, Context& context);

// `purchase return` and `purchase preview-return`.
void AddReturnVerbs(CLI::App& noun, Context& context);
// `purchase gaps` and `purchase top-cards`.
void AddTillReports(CLI::App& noun, Context& context);

}  // namespace guilder::cli
