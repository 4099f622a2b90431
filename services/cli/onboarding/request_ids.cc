#include "services/cli/onboarding/request_ids.h"

#include <algorithm>
#include <array>

#include <openssl/sha.h>

#include "libs/base/text.h"

namespace guilder::cli {

std::string RequestIdFor(std::string_view seed, std::string_view what) {
  std::string text(seed);
  text += '\0';
  text += what;
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest.data());
  Uuid uuid;
  std::copy_n(digest.begin(), uuid.size(), uuid.begin());
  uuid[6] = static_cast<uint8_t>(0x80 | (uuid[6] & 0x0F));
  uuid[8] = static_cast<uint8_t>(0x80 | (uuid[8] & 0x3F));
  return FormatUuid(uuid);
}

}  // namespace guilder::cli
