// The codes of vouchers: what a member reads out at a till, and nobody can guess. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/base/types.h"

namespace guilder::redemption {

// Seventeen characters of Crockford's base 32, which are 85 bits, and three check characters, in
// five groups: "K3QH-…". The check is the number modulo the prime 32,749, so that one wrong
// character, and two that changed places, are always found.
inline constexpr int kVoucherCodeBits = 85;

// The code that the first 85 bits of a keyed digest stand for.
std::string VoucherCodeOf(const Digest& secret);

// A code as somebody typed it, in its one spelling: case, spaces and hyphens do not matter, I and L
// are read as 1, O as 0. Nothing when its length, a character, or its check is wrong.
std::optional<std::string> ParseVoucherCode(std::string_view typed);

}  // namespace guilder::redemption
