#include "services/partner/domain/names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "services/partner/domain/merchant_category.h"

namespace guilder::partner {
namespace {

absl::Status Malformed(std::string_view field, std::string_view what) {
  return Refuse(Reason::kRequestMalformed, absl::StrCat(ToAbsl(field), " ", ToAbsl(what)),
                {{"field", std::string(field)}});
}

bool IsSlugCharacter(char c) {
  return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
}

// The length of the UTF-8 sequence (RFC 3629) at the beginning of the text; 0 when there is none.
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t index) { return static_cast<unsigned char>(text[index]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  // No overlong forms, no surrogates, nothing beyond U+10FFFF.
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  }
  return length;
}

bool IsPrintable(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0 || (length == 1 && absl::ascii_iscntrl(text[0]))) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

absl::Status CheckPartnerSlug(std::string_view slug) {
  if (slug.size() >= 3 && slug.size() <= 40 && absl::ascii_islower(slug[0]) &&
      std::all_of(slug.begin(), slug.end(), IsSlugCharacter)) {
    return absl::OkStatus();
  }
  return Malformed("partner_id", "has 3 to 40 of a-z, 0-9 and '-', and begins with a letter");
}

absl::Status CheckStoreCode(std::string_view code) {
  if (!code.empty() && code.size() <= 40 &&
      std::all_of(code.begin(), code.end(), IsSlugCharacter)) {
    return absl::OkStatus();
  }
  return Malformed("store_id", "has 1 to 40 of a-z, 0-9 and '-'");
}

absl::Status CheckTerminalCode(std::string_view code) {
  const auto allowed = [](char c) { return absl::ascii_isalnum(c) || c == '-'; };
  if (!code.empty() && code.size() <= 40 && std::all_of(code.begin(), code.end(), allowed)) {
    return absl::OkStatus();
  }
  return Malformed("terminal_id", "has 1 to 40 of a-z, A-Z, 0-9 and '-'");
}

absl::Status CheckText(std::string_view field, std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return Malformed(field, absl::StrCat("is longer than ", kMaxTextBytes, " bytes"));
  }
  if (!IsPrintable(text)) return Malformed(field, "has characters that cannot be printed");
  if (!text.empty() && (text.front() == ' ' || text.back() == ' ')) {
    return Malformed(field, "begins or ends with a space");
  }
  return absl::OkStatus();
}

absl::Status CheckRequiredText(std::string_view field, std::string_view text) {
  if (text.empty()) return Malformed(field, "is missing");
  return CheckText(field, text);
}

absl::Status CheckMerchantCategoryCode(std::string_view code) {
  if (code.size() == 4 && std::all_of(code.begin(), code.end(), absl::ascii_isdigit) &&
      IsMerchantCategory((code[0] - '0') * 1'000 + (code[1] - '0') * 100 + (code[2] - '0') * 10 +
                         (code[3] - '0'))) {
    return absl::OkStatus();
  }
  return Malformed("merchant_category_code", "is not a code of ISO 18245");
}

absl::Status CheckRegion(std::string_view region) {
  const size_t part = region.size() > 3 ? region.size() - 3 : 0;
  const auto is_part = [](char c) { return absl::ascii_isupper(c) || absl::ascii_isdigit(c); };
  const bool formed = part >= 1 && part <= 3 && absl::ascii_isupper(region[0]) &&
                      absl::ascii_isupper(region[1]) && region[2] == '-' &&
                      std::all_of(region.begin() + 3, region.end(), is_part);
  if (region.empty() || formed) return absl::OkStatus();
  return Malformed("region", "is not a code of ISO 3166-2 such as DE-BE");
}

absl::Status CheckTimeZone(const std::string& time_zone) {
  absl::TimeZone loaded;
  // Abseil also reads files, fixed offsets, the machine's own zone, and a name up to a NUL.
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(c) || c == '/' || c == '_' || c == '+' || c == '-';
  };
  const bool named = !time_zone.empty() && time_zone.size() <= 64 && time_zone != "localtime" &&
                     absl::ascii_isalpha(time_zone[0]) &&
                     std::all_of(time_zone.begin(), time_zone.end(), allowed);
  if (named && absl::LoadTimeZone(time_zone, &loaded)) return absl::OkStatus();
  return Malformed("time_zone", "is not an IANA time zone such as Europe/Berlin");
}

}  // namespace guilder::partner
