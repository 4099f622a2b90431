#include "libs/base/text.h"

#include <charconv>

namespace guilder {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool AllDigits(std::string_view text) {
  for (char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return !text.empty();
}

// The sum of ISO/IEC 7812-1 annex B; `doubled` says whether the last digit of `digits` is doubled.
int LuhnSum(std::string_view digits, bool doubled) {
  int sum = 0;
  for (auto it = digits.rbegin(); it != digits.rend(); ++it) {
    int digit = *it - '0';
    if (doubled) digit = digit > 4 ? 2 * digit - 9 : 2 * digit;
    sum += digit;
    doubled = !doubled;
  }
  return sum;
}

}  // namespace

std::string ToHex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex(2 * bytes.size(), '0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    hex[2 * i] = kDigits[byte >> 4];
    hex[2 * i + 1] = kDigits[byte & 15];
  }
  return hex;
}

std::optional<std::string> FromHex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes(hex.size() / 2, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int high = HexDigit(hex[2 * i]);
    const int low = HexDigit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::string FormatUuid(const Uuid& uuid) {
  std::string text = ToHex(AsView(uuid));
  for (const int at : {20, 16, 12, 8}) text.insert(at, 1, '-');
  return text;
}

std::optional<Uuid> ParseUuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  std::string hex;
  hex.reserve(32);
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) return std::nullopt;
    if (!dash) hex.push_back(text[i]);
  }
  const std::optional<std::string> bytes = FromHex(hex);
  if (!bytes) return std::nullopt;
  Uuid uuid;
  std::copy(bytes->begin(), bytes->end(), uuid.begin());
  return uuid;
}

std::optional<int64_t> ParseInt(std::string_view text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

std::optional<Currency> ParseCurrency(std::string_view text) {
  if (text.size() != 3) return std::nullopt;
  Currency currency;
  for (int i = 0; i < 3; ++i) {
    if (text[i] < 'A' || text[i] > 'Z') return std::nullopt;
    currency[i] = text[i];
  }
  return currency;
}

std::optional<MinorUnits> ParseAmount(std::string_view text, int exponent) {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (!AllDigits(whole) || whole.size() > 16) return std::nullopt;
  if (point != std::string_view::npos && !AllDigits(fraction)) return std::nullopt;
  if (fraction.size() > static_cast<size_t>(exponent)) return std::nullopt;
  std::string digits(whole);
  digits.append(fraction);
  digits.append(exponent - fraction.size(), '0');
  const std::optional<int64_t> units = ParseInt(digits);
  if (!units) return std::nullopt;
  return MinorUnits(negative ? -*units : *units);
}

std::string FormatAmount(MinorUnits amount, int exponent) {
  const bool negative = amount.value() < 0;
  std::string digits =
      std::to_string(negative ? 0 - static_cast<uint64_t>(amount.value()) : amount.value());
  if (exponent > 0) {
    const size_t least = static_cast<size_t>(exponent) + 1;
    if (digits.size() < least) digits.insert(0, least - digits.size(), '0');
    digits.insert(digits.size() - exponent, 1, '.');
  }
  return negative ? "-" + digits : digits;
}

bool LuhnIsValid(std::string_view digits) {
  return digits.size() >= 2 && AllDigits(digits) && LuhnSum(digits, /*doubled=*/false) % 10 == 0;
}

char LuhnCheckDigit(std::string_view digits) {
  return static_cast<char>('0' + (10 - LuhnSum(digits, /*doubled=*/true) % 10) % 10);
}

std::string FormatTimestamp(Timestamp at) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", ToAbslTime(at), absl::UTCTimeZone());
}

}  // namespace guilder
