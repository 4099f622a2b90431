#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "libs/iso20022/pain001.h"

namespace guilder::iso20022 {
namespace {

constexpr std::string_view kPlain =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ";

// Likenesses of U+00C0 to U+017F (Latin-1 Supplement and Latin Extended-A), in order.
constexpr uint32_t kFirstLetter = 0xC0;
constexpr std::string_view kLetters[] = {
    // U+00C0
    "A", "A", "A", "A", "Ae", "A", "AE", "C", "E", "E", "E", "E", "I", "I", "I", "I",    //
    "D", "N", "O", "O", "O", "O", "Oe", ".", "O", "U", "U", "U", "Ue", "Y", "Th", "ss",  //
    "a", "a", "a", "a", "ae", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i",    //
    "d", "n", "o", "o", "o", "o", "oe", ".", "o", "u", "u", "u", "ue", "y", "th", "y",   //
    // U+0100
    "A", "a", "A", "a", "A", "a", "C", "c", "C", "c", "C", "c", "C", "c", "D", "d",    //
    "D", "d", "E", "e", "E", "e", "E", "e", "E", "e", "E", "e", "G", "g", "G", "g",    //
    "G", "g", "G", "g", "H", "h", "H", "h", "I", "i", "I", "i", "I", "i", "I", "i",    //
    "I", "i", "IJ", "ij", "J", "j", "K", "k", "k", "L", "l", "L", "l", "L", "l", "L",  //
    "l", "L", "l", "N", "n", "N", "n", "N", "n", "n", "N", "n", "O", "o", "O", "o",    //
    "O", "o", "OE", "oe", "R", "r", "R", "r", "R", "r", "S", "s", "S", "s", "S", "s",  //
    "S", "s", "T", "t", "T", "t", "T", "t", "U", "u", "U", "u", "U", "u", "U", "u",    //
    "U", "u", "U", "u", "W", "w", "Y", "y", "Y", "Z", "z", "Z", "z", "Z", "z", "s",    //
};
static_assert(std::size(kLetters) == 0x180 - kFirstLetter);

// Takes one code point off the text; malformed bytes count as one each.
uint32_t TakeCodePoint(std::string_view& text) {
  constexpr uint32_t kMalformed = 0xFFFD;
  const auto lead = static_cast<uint8_t>(text[0]);
  text.remove_prefix(1);
  if (lead < 0x80) return lead;
  const int rest = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
  if (rest == 0 || text.size() < static_cast<size_t>(rest)) return kMalformed;
  uint32_t code_point = lead & (0x3F >> rest);
  for (int i = 0; i < rest; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xC0) != 0x80) return kMalformed;
    code_point = code_point << 6 | (byte & 0x3F);
  }
  text.remove_prefix(rest);
  return code_point;
}

std::string Likeness(uint32_t code_point) {
  if (code_point < 0x80) {
    const char c = static_cast<char>(code_point);
    if (kPlain.find(c) != std::string_view::npos) return std::string(1, c);
    if (c == '&') return "+";
    if (c == '_') return "-";
    if (c == '"') return "'";
    if (c == '\t' || c == '\n' || c == '\r') return " ";
    return ".";
  }
  if (code_point >= kFirstLetter && code_point < kFirstLetter + std::size(kLetters)) {
    return std::string(kLetters[code_point - kFirstLetter]);
  }
  switch (code_point) {
    case 0xA0:  // No-break space.
      return " ";
    case 0x2010:  // Hyphens and dashes.
    case 0x2011:
    case 0x2013:
    case 0x2014:
      return "-";
    case 0x2018:  // Quotation marks.
    case 0x2019:
    case 0x201C:
    case 0x201D:
    case 0x201E:
      return "'";
    case 0x20AC:
      return "EUR";
    default:
      return ".";
  }
}

}  // namespace

std::string ToSepaText(std::string_view utf8, size_t max_length) {
  std::string text;
  while (!utf8.empty()) {
    const std::string likeness = Likeness(TakeCodePoint(utf8));
    if (likeness == " " && (text.empty() || text.back() == ' ')) continue;
    if (text.size() + likeness.size() > max_length) break;
    text += likeness;
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace guilder::iso20022
