#include "libs/security/keys.h"

#include <chrono>
#include <cstdlib>
#include <cstring>

#include <sodium.h>

#include "absl/strings/match.h"

#include "libs/base/text.h"

namespace guilder::security {
namespace {

constexpr size_t kSecretBytes = 32;
constexpr size_t kMaxIdLength = 64;
constexpr std::string_view kScheme = "Bearer ";
constexpr std::string_view kPartnerPrefix = "gk_";
constexpr std::string_view kOperatorPrefix = "go_";
constexpr std::string_view kMemberPrefix = "gm_";

// sodium_init picks the fastest code and opens the generator; it is cheap when repeated.
void NeedSodium() {
  static const bool ready = sodium_init() >= 0;
  if (!ready) std::abort();
}

bool IsIdCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

bool IsHexCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

template <typename Predicate>
bool AllOf(std::string_view text, Predicate predicate) {
  for (const char c : text) {
    if (!predicate(c)) return false;
  }
  return true;
}

const unsigned char* Unsigned(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

std::string RandomBytes(size_t count) {
  NeedSodium();
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

std::string RandomHex(size_t bytes) {
  return ToHex(RandomBytes(bytes));
}

Uuid RandomUuid() {
  NeedSodium();
  Uuid uuid;
  randombytes_buf(uuid.data(), uuid.size());
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  const auto millis = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
  for (int i = 0; i < 6; ++i) uuid[i] = static_cast<uint8_t>(millis >> (8 * (5 - i)));
  uuid[6] = static_cast<uint8_t>((uuid[6] & 0x0f) | 0x70);
  uuid[8] = static_cast<uint8_t>((uuid[8] & 0x3f) | 0x80);
  return uuid;
}

std::string GenerateKey(KeyKind kind, std::string_view id) {
  std::string key(kind == KeyKind::kPartner ? kPartnerPrefix : kOperatorPrefix);
  key.append(id);
  key.push_back('_');
  key.append(RandomHex(kSecretBytes));
  return key;
}

std::string_view BearerIn(std::string_view authorization) {
  if (!absl::StartsWithIgnoreCase(ToAbsl(authorization), ToAbsl(kScheme))) return {};
  return authorization.substr(kScheme.size());
}

std::optional<ParsedKey> ParseKey(std::string_view key) {
  ParsedKey parsed;
  if (key.substr(0, kPartnerPrefix.size()) == kPartnerPrefix) {
    parsed.kind = KeyKind::kPartner;
  } else if (key.substr(0, kOperatorPrefix.size()) == kOperatorPrefix) {
    parsed.kind = KeyKind::kOperator;
  } else if (key.substr(0, kMemberPrefix.size()) == kMemberPrefix) {
    parsed.kind = KeyKind::kMember;
  } else {
    return std::nullopt;
  }
  key.remove_prefix(kPartnerPrefix.size());
  const size_t separator = key.find('_');
  if (separator == std::string_view::npos || separator == 0 || separator > kMaxIdLength) {
    return std::nullopt;
  }
  parsed.id = key.substr(0, separator);
  const std::string_view secret = key.substr(separator + 1);
  if (secret.size() != 2 * kSecretBytes || !AllOf(secret, IsHexCharacter) ||
      !AllOf(parsed.id, IsIdCharacter)) {
    return std::nullopt;
  }
  return parsed;
}

bool KeyHasher::Matches(std::string_view key, const Digest& stored) const {
  const Digest digest = Hash(key);
  return sodium_memcmp(digest.data(), stored.data(), stored.size()) == 0;
}

bool ConstantTimeEquals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace guilder::security
