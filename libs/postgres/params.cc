#include "libs/postgres/params.h"

#include <array>
#include <charconv>
#include <cstring>

namespace guilder::postgres {
namespace {

// The two hexadecimal digits of every byte, so that encoding is one copy of two characters each.
constexpr std::array<char, 512> MakeHexDigits() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<char, 512> digits{};
  for (int byte = 0; byte < 256; ++byte) {
    digits[2 * byte] = kDigits[byte >> 4];
    digits[2 * byte + 1] = kDigits[byte & 15];
  }
  return digits;
}
constexpr std::array<char, 512> kHexDigits = MakeHexDigits();

}  // namespace

void Params::AppendInt(int64_t value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out_.append(digits, static_cast<size_t>(end - digits));
}

void Params::AppendText(std::string_view text) {
  CheckForNul(text);
  out_.append(text);
}

void Params::AppendQuoted(std::string_view text) {
  CheckForNul(text);
  out_.push_back('"');
  while (true) {
    const size_t special = text.find_first_of("\"\\");
    out_.append(text.substr(0, special));
    if (special == std::string_view::npos) break;
    out_.push_back('\\');
    out_.push_back(text[special]);
    text.remove_prefix(special + 1);
  }
  out_.push_back('"');
}

void Params::AppendHex(std::string_view bytes) {
  const size_t start = out_.size();
  out_.resize(start + 2 * bytes.size());
  char* out = out_.data() + start;
  for (const char byte : bytes) {
    std::memcpy(out, &kHexDigits[2 * static_cast<unsigned char>(byte)], 2);
    out += 2;
  }
}

void Params::CheckForNul(std::string_view text) {
  if (first_with_nul_ || text.find('\0') == std::string_view::npos) return;
  first_with_nul_ = size() - 1;
}

}  // namespace guilder::postgres
