#include "services/redemption/domain/voucher_code.h"

#include <array>
#include <cstdint>

namespace guilder::redemption {
namespace {

// Crockford's: without I, L, O and U.
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr size_t kRandomCharacters = kVoucherCodeBits / 5;
constexpr size_t kCheckCharacters = 3;
constexpr size_t kCharacters = kRandomCharacters + kCheckCharacters;
constexpr size_t kGroup = 4;
// The largest prime below 32³.
constexpr uint32_t kModulus = 32'749;

using Values = std::array<uint8_t, kCharacters>;

// Writes the check of the random characters behind them.
void SetCheck(Values& values) {
  uint32_t rest = 0;
  for (size_t i = 0; i < kRandomCharacters; ++i) rest = (rest * 32 + values[i]) % kModulus;
  for (size_t i = kCharacters; i > kRandomCharacters; --i) {
    values[i - 1] = static_cast<uint8_t>(rest % 32);
    rest /= 32;
  }
}

std::string Format(const Values& values) {
  std::string code;
  for (size_t i = 0; i < kCharacters; ++i) {
    if (i > 0 && i % kGroup == 0) code += '-';
    code += kAlphabet[values[i]];
  }
  return code;
}

std::optional<uint8_t> ValueOf(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'I' || c == 'L') c = '1';
  if (c == 'O') c = '0';
  const size_t value = kAlphabet.find(c);
  if (value == std::string_view::npos) return std::nullopt;
  return static_cast<uint8_t>(value);
}

}  // namespace

std::string VoucherCodeOf(const Digest& secret) {
  Values values{};
  for (size_t i = 0; i < kRandomCharacters; ++i) {
    uint8_t value = 0;
    for (size_t bit = i * 5; bit < i * 5 + 5; ++bit) {
      value = static_cast<uint8_t>(value << 1 | (secret[bit / 8] >> (7 - bit % 8) & 1));
    }
    values[i] = value;
  }
  SetCheck(values);
  return Format(values);
}

std::optional<std::string> ParseVoucherCode(std::string_view typed) {
  Values values{};
  size_t count = 0;
  for (const char c : typed) {
    if (c == ' ' || c == '-') continue;
    const auto value = ValueOf(c);
    if (!value || count == kCharacters) return std::nullopt;
    values[count++] = *value;
  }
  if (count != kCharacters) return std::nullopt;
  Values checked = values;
  SetCheck(checked);
  if (checked != values) return std::nullopt;
  return Format(values);
}

}  // namespace guilder::redemption
