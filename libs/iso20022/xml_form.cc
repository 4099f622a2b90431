#include <array>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/iso20022/xml_document.h"

namespace guilder::iso20022 {
namespace {

constexpr int kMaxDepth = 32;
constexpr int kMaxElements = 1'000'000;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::array<std::string_view, 5> kEntities = {"amp;", "lt;", "gt;", "quot;", "apos;"};

// Characters of XML 1.0, section 2.2, but for the control characters U+007F to U+009F, which
// terminals obey.
bool IsCharacter(uint32_t code_point) {
  if (code_point >= 0x7F && code_point <= 0x9F) return false;
  if (code_point < 0x20) return code_point == '\t' || code_point == '\n' || code_point == '\r';
  const bool surrogate = code_point >= 0xD800 && code_point < 0xE000;
  const bool nothing = code_point == 0xFFFE || code_point == 0xFFFF;
  return code_point <= 0x10FFFF && !surrogate && !nothing;
}

// The digit's value; -1 for another character.
int DigitOf(char c, bool hexadecimal) {
  if (c >= '0' && c <= '9') return c - '0';
  const char letter = static_cast<char>(c | 0x20);
  return hexadecimal && letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// Bytes of the code point at the beginning; 0 when it is not well-formed UTF-8 (RFC 3629) or not a
// character of XML.
size_t CodePointLength(std::string_view text) {
  const auto at = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0; };
  const uint8_t lead = at(0);
  if (lead < 0x80) return IsCharacter(lead) ? 1 : 0;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  uint32_t code_point = lead & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return 0;
    code_point = code_point << 6 | (at(i) & 0x3F);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (length == 0 || code_point < kLeast[length]) return 0;
  return IsCharacter(code_point) ? length : 0;
}

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// Goes once through the text, and knows of XML only where its pieces begin and end.
class FormChecker {
 public:
  explicit FormChecker(std::string_view bytes) : bytes_(bytes) {}

  // What is wrong; empty when nothing is.
  std::string Check() {
    if (StartsWith(bytes_, kByteOrderMark)) at_ = kByteOrderMark.size();
    CheckDeclaration();
    while (wrong_.empty() && at_ < bytes_.size()) {
      if (bytes_[at_] == '<') {
        Markup();
      } else {
        Character();
      }
    }
    if (wrong_.empty() && depth_ != 0) Wrong("it ends before its elements do");
    return wrong_;
  }

 private:
  std::string_view Rest() const { return bytes_.substr(at_); }

  void Wrong(std::string_view what) {
    if (!wrong_.empty()) return;
    int line = 1;
    for (const char c : bytes_.substr(0, at_)) line += c == '\n';
    wrong_ = absl::StrCat("line ", line, ": ", ToAbsl(what));
  }

  void CheckDeclaration() {
    if (!StartsWith(Rest(), "<?xml")) return;
    const std::string_view declaration = Rest().substr(0, Rest().find("?>"));
    const size_t encoding = declaration.find("encoding");
    if (encoding == std::string_view::npos) return;
    const size_t quote = declaration.find_first_of("\"'", encoding);
    if (quote == std::string_view::npos) return Wrong("the XML declaration is malformed");
    const std::string_view value = declaration.substr(quote + 1);
    const std::string name =
        absl::AsciiStrToUpper(ToAbsl(value.substr(0, value.find(declaration[quote]))));
    if (name != "UTF-8" && name != "US-ASCII") Wrong("it is not declared as UTF-8");
  }

  // One character of text or of an attribute's value.
  void Character() {
    if (bytes_[at_] == '&') return Reference();
    Step();
  }

  void Step() {
    const size_t length = CodePointLength(Rest());
    if (length == 0) return Wrong("a character that is not UTF-8, or not allowed in XML");
    at_ += length;
  }

  void Reference() {
    const std::string_view name = Rest().substr(1);
    for (const std::string_view entity : kEntities) {
      if (StartsWith(name, entity)) {
        at_ += 1 + entity.size();
        return;
      }
    }
    if (StartsWith(name, "#")) return NumberedCharacter(name.substr(1));
    Wrong("an entity that XML does not have");
  }

  // "&#228;" or "&#xE4;": nothing that could not stand there as itself.
  void NumberedCharacter(std::string_view digits) {
    const size_t end = digits.find(';');
    const bool hexadecimal = StartsWith(digits, "x");
    uint32_t code_point = 0;
    for (size_t i = hexadecimal ? 1 : 0; i < end; ++i) {
      const int digit = i < digits.size() ? DigitOf(digits[i], hexadecimal) : -1;
      if (digit < 0 || i > 8) return Wrong("a malformed numbered character");
      code_point = code_point * (hexadecimal ? 16 : 10) + static_cast<uint32_t>(digit);
    }
    if (!IsCharacter(code_point)) return Wrong("a numbered character that XML does not allow");
    at_ += 2 + end + 1;
  }

  // Skips to behind `end`, over characters that mean nothing.
  void SkipTo(std::string_view end) {
    while (wrong_.empty() && at_ < bytes_.size()) {
      if (StartsWith(Rest(), end)) {
        at_ += end.size();
        return;
      }
      Step();
    }
    Wrong("it ends in the middle");
  }

  void Markup() {
    const std::string_view rest = Rest();
    if (StartsWith(rest, "<!--")) {
      at_ += 4;
      SkipTo("-->");
    } else if (StartsWith(rest, "<![CDATA[")) {
      at_ += 9;
      SkipTo("]]>");
    } else if (StartsWith(rest, "<!")) {
      Wrong("a document type or entity declaration");
    } else if (StartsWith(rest, "<?")) {
      SkipTo("?>");
    } else if (StartsWith(rest, "</")) {
      --depth_;
      SkipTo(">");
      if (depth_ < 0) Wrong("an end without a beginning");
    } else {
      Element();
    }
  }

  void Element() {
    if (++elements_ > kMaxElements) return Wrong("it has more than a million elements");
    if (++depth_ > kMaxDepth) return Wrong("elements are nested too deeply");
    char quote = 0;
    for (++at_; wrong_.empty() && at_ < bytes_.size();) {
      const char c = bytes_[at_];
      if (quote != 0) {
        if (c == quote) quote = 0;
        if (c == '<') return Wrong("an attribute with a <");
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '>') {
        if (bytes_[at_ - 1] == '/') --depth_;
        ++at_;
        return;
      } else if (c == '<') {
        return Wrong("an element in the tag of another");
      }
      Character();
    }
    Wrong("it ends in the middle");
  }

  const std::string_view bytes_;
  size_t at_ = 0;
  int depth_ = 0;
  int elements_ = 0;
  std::string wrong_;
};

}  // namespace

absl::Status CheckXmlForm(std::string_view bytes) {
  if (bytes.size() > kMaxFileBytes) {
    return Refuse(Reason::kRequestTooLarge, absl::StrCat("the file has ", bytes.size(), " bytes, ",
                                                         kMaxFileBytes, " at most are read"));
  }
  const std::string wrong = FormChecker(bytes).Check();
  return wrong.empty() ? absl::OkStatus() : Refuse(Reason::kRequestMalformed, wrong);
}

}  // namespace guilder::iso20022
