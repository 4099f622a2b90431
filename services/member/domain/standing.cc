#include "services/member/domain/standing.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"

namespace guilder::member {
namespace {

constexpr size_t kMaxNameBytes = 64;

}  // namespace

absl::Status CheckStandingName(const char* field, std::string_view name) {
  const bool fits = !name.empty() && name.size() <= kMaxNameBytes;
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_';
  });
  if (fits && plain) return absl::OkStatus();
  return Refuse(Reason::kRequestMalformed,
                absl::StrCat(field, " has 1 to 64 letters, digits, \"-\" and \"_\""),
                {{"field", field}});
}

const TierChange* TierAt(const std::vector<TierChange>& changes, Timestamp at) {
  const TierChange* so = nullptr;
  for (const TierChange& change : changes) {
    if (change.from > at) continue;
    if (so == nullptr || std::pair(change.from, change.number) > std::pair(so->from, so->number)) {
      so = &change;
    }
  }
  return so;
}

}  // namespace guilder::member
