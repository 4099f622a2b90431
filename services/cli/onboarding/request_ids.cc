#include "services/cli/onboarding/request_ids.h"

#include <algorithm>

#include "libs/base/digest.h"
#include "libs/base/text.h"

namespace guilder::cli {

std::string RequestIdFor(std::string_view seed, std::string_view what) {
  const Digest digest = Sha256({seed, std::string_view("\0", 1), what});
  Uuid uuid;
  std::copy_n(digest.begin(), uuid.size(), uuid.begin());
  uuid[6] = static_cast<uint8_t>(0x80 | (uuid[6] & 0x0F));
  uuid[8] = static_cast<uint8_t>(0x80 | (uuid[8] & 0x3F));
  return FormatUuid(uuid);
}

}  // namespace guilder::cli
