// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104).
#pragma once

#include <initializer_list>
#include <memory>
#include <string_view>

#include "libs/base/types.h"

namespace guilder {

Digest Sha256(std::initializer_list<std::string_view> parts);
Digest HmacSha256(std::string_view key, std::string_view message);

// A key for many messages: half of what HmacSha256 does is done once. Thread safe.
class HmacKey {
 public:
  explicit HmacKey(std::string_view key);
  // Leaves nothing of the key in memory.
  ~HmacKey();
  HmacKey(HmacKey&&) noexcept;
  HmacKey& operator=(HmacKey&&) noexcept;

  Digest Of(std::string_view message) const;

 private:
  struct States;
  std::unique_ptr<States> states_;
};

}  // namespace guilder
