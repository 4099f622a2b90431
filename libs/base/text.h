// Text forms of the base types. Parsing accepts exactly what formatting writes, unless stated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "libs/base/types.h"

namespace guilder {

// Abseil's string_view is a type of its own on some distributions and std's on others.
inline absl::string_view ToAbsl(std::string_view text) {
  return {text.data(), text.size()};
}

// Lower-case hexadecimal of the bytes.
std::string ToHex(std::string_view bytes);
// Nothing when the length is odd or a character is not hexadecimal (either case is read).
std::optional<std::string> FromHex(std::string_view hex);

template <typename Bytes>
std::string_view AsView(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// "8-4-4-4-12" form. Upper case is read too.
std::string FormatUuid(const Uuid& uuid);
std::optional<Uuid> ParseUuid(std::string_view text);

// A whole decimal number with nothing around it. Nothing when malformed or out of int64.
std::optional<int64_t> ParseInt(std::string_view text);

// "EUR": three capital letters.
std::optional<Currency> ParseCurrency(std::string_view text);
inline std::string FormatCurrency(const Currency& currency) {
  return {currency.data(), 3};
}

// A decimal amount with at most `exponent` digits after the point as minor units: "3.86", 2 → 386.
// Nothing when malformed, too precise or out of range. No exponent form, no grouping.
std::optional<MinorUnits> ParseAmount(std::string_view text, int exponent);
// The inverse: 386, 2 → "3.86".
std::string FormatAmount(MinorUnits amount, int exponent);

// Whether the decimal digits pass the check of ISO/IEC 7812-1 annex B (Luhn).
bool LuhnIsValid(std::string_view digits);
// The digit that makes `digits` followed by it valid.
char LuhnCheckDigit(std::string_view digits);

inline absl::Time ToAbslTime(Timestamp at) {
  return absl::FromUnixMicros(at.value());
}
inline Timestamp FromAbslTime(absl::Time at) {
  return Timestamp(absl::ToUnixMicros(at));
}
// RFC 3339 in UTC, to the second: "2026-01-31T12:00:00Z".
std::string FormatTimestamp(Timestamp at);

}  // namespace guilder
