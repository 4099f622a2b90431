// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104).
#pragma once

#include <initializer_list>
#include <string_view>

#include "libs/base/types.h"

namespace guilder::ledger {

Digest Sha256(std::initializer_list<std::string_view> parts);
Digest HmacSha256(std::string_view key, std::string_view message);

}  // namespace guilder::ledger
