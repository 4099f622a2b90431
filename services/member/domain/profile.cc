#include "services/member/domain/profile.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/civil_time.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"

namespace guilder::member {
namespace {

// The second has an address and a date of birth. A profile without them is written in the first
// one, so that the fingerprints of enrolments stay what they were.
constexpr uint64_t kFormat = 1;
constexpr uint64_t kLongFormat = 2;
constexpr size_t kMaxNameBytes = 200;
constexpr size_t kMaxAddressBytes = 500;
constexpr size_t kMaxEmailBytes = 254;
constexpr size_t kFewestPhoneDigits = 7;
constexpr size_t kMostPhoneDigits = 15;
constexpr absl::civil_year_t kEarliestYear = 1900;
constexpr std::string_view kEllipsis = "…";
constexpr std::string_view kDot = "•";

absl::Status Malformed(const char* field, const char* problem) {
  return Refuse(Reason::kRequestMalformed, absl::StrCat(field, " ", problem), {{"field", field}});
}

bool HasControls(std::string_view text, bool lines) {
  return std::any_of(text.begin(), text.end(), [lines](unsigned char c) {
    return c == 0x7f || (c < 0x20 && !(lines && c == '\n'));
  });
}

absl::StatusOr<std::string> CheckedName(const char* field, const std::string& name) {
  const std::string trimmed(absl::StripAsciiWhitespace(name));
  if (trimmed.size() > kMaxNameBytes) return Malformed(field, "is too long");
  if (HasControls(trimmed, /*lines=*/false)) return Malformed(field, "has control characters");
  return trimmed;
}

absl::StatusOr<std::string> CheckedAddress(const std::string& address) {
  const std::string plain = absl::StrReplaceAll(address, {{"\r\n", "\n"}});
  const std::string trimmed(absl::StripAsciiWhitespace(plain));
  if (trimmed.size() > kMaxAddressBytes) return Malformed("address", "is too long");
  if (HasControls(trimmed, /*lines=*/true)) return Malformed("address", "has control characters");
  return trimmed;
}

// The first character of UTF-8, and an ellipsis.
std::string Initial(std::string_view text) {
  if (text.empty()) return "";
  size_t length = 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80)
    ++length;
  return std::string(text.substr(0, length)).append(kEllipsis);
}

std::string MaskedPhone(const std::string& phone) {
  constexpr size_t kShownFirst = 3;
  constexpr size_t kShownLast = 2;
  if (phone.size() <= kShownFirst + kShownLast) return std::string(phone.empty() ? "" : kEllipsis);
  std::string masked = phone.substr(0, kShownFirst);
  for (size_t i = kShownFirst; i < phone.size() - kShownLast; ++i) masked.append(kDot);
  return masked.append(phone.substr(phone.size() - kShownLast));
}

}  // namespace

absl::StatusOr<Profile> CheckedProfile(const Profile& profile) {
  Profile checked;
  GUILDER_ASSIGN_OR_RETURN(checked.given_name, CheckedName("given_name", profile.given_name));
  GUILDER_ASSIGN_OR_RETURN(checked.family_name, CheckedName("family_name", profile.family_name));
  if (!profile.phone.empty()) {
    GUILDER_ASSIGN_OR_RETURN(checked.phone, CheckedPhone(profile.phone));
  }
  if (!profile.email.empty()) {
    auto email = NormalEmail(profile.email);
    if (!email) return Malformed("email", "is no e-mail address");
    checked.email = *std::move(email);
  }
  GUILDER_ASSIGN_OR_RETURN(checked.address, CheckedAddress(profile.address));
  if (!profile.birth_date.empty()) {
    absl::CivilDay day;
    const bool well_formed = absl::ParseCivilTime(profile.birth_date, &day) &&
                             absl::FormatCivilTime(day) == profile.birth_date;
    if (!well_formed || day.year() < kEarliestYear) {
      return Malformed("birth_date", "is a date like 1990-12-31");
    }
    checked.birth_date = profile.birth_date;
  }
  return checked;
}

absl::StatusOr<std::string> CheckedPhone(std::string_view phone) {
  std::string text = absl::StrReplaceAll(ToAbsl(phone), {{"(0)", ""}});
  text = std::string(absl::StripAsciiWhitespace(text));
  if (absl::StartsWith(text, "00")) text.replace(0, 2, "+");
  std::string normal;
  for (const char c : text) {
    if (std::string_view(" -./()").find(c) != std::string_view::npos) continue;
    if (normal.empty() && c != '+') {
      return Malformed("phone", "needs its country code, as in +49 30 1234567");
    }
    if (!normal.empty() && !absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      return Malformed("phone", "has characters that are no digits");
    }
    normal.push_back(c);
  }
  if (normal.size() > 1 && normal[1] == '0') {
    return Malformed("phone", "has a country code that begins with 0, which none does");
  }
  if (normal.size() < 1 + kFewestPhoneDigits) return Malformed("phone", "is too short");
  if (normal.size() > 1 + kMostPhoneDigits) {
    return Malformed("phone", "is too long: 15 digits with the country code at most");
  }
  return normal;
}

std::optional<std::string> NormalPhone(std::string_view phone) {
  auto checked = CheckedPhone(phone);
  if (!checked.ok()) return std::nullopt;
  return *std::move(checked);
}

std::optional<std::string> NormalEmail(std::string_view email) {
  const std::string normal = absl::AsciiStrToLower(absl::StripAsciiWhitespace(ToAbsl(email)));
  const size_t at = normal.find('@');
  const bool printable = std::none_of(normal.begin(), normal.end(),
                                      [](unsigned char c) { return c <= 0x20 || c == 0x7f; });
  if (normal.size() > kMaxEmailBytes || !printable || at == 0 || at == std::string::npos ||
      at + 1 == normal.size() || normal.find('@', at + 1) != std::string::npos) {
    return std::nullopt;
  }
  return normal;
}

Profile Masked(const Profile& profile) {
  Profile masked;
  masked.given_name = Initial(profile.given_name);
  masked.family_name = Initial(profile.family_name);
  masked.phone = MaskedPhone(profile.phone);
  if (!profile.email.empty()) masked.email = Initial(profile.email).append("@").append(kEllipsis);
  return masked;
}

std::string EncodeProfile(const Profile& profile) {
  Encoder encoder;
  const bool is_long = !profile.address.empty() || !profile.birth_date.empty();
  encoder.Unsigned(is_long ? kLongFormat : kFormat)
      .Bytes(profile.given_name)
      .Bytes(profile.family_name)
      .Bytes(profile.phone)
      .Bytes(profile.email);
  if (is_long) encoder.Bytes(profile.address).Bytes(profile.birth_date);
  return encoder.Take();
}

std::optional<Profile> DecodeProfile(std::string_view bytes) {
  Decoder decoder(bytes);
  const uint64_t format = decoder.Unsigned();
  if (format != kFormat && format != kLongFormat) return std::nullopt;
  Profile profile;
  profile.given_name = decoder.Bytes();
  profile.family_name = decoder.Bytes();
  profile.phone = decoder.Bytes();
  profile.email = decoder.Bytes();
  if (format == kLongFormat) {
    profile.address = decoder.Bytes();
    profile.birth_date = decoder.Bytes();
    if (profile.address.empty() && profile.birth_date.empty()) return std::nullopt;
  }
  if (!decoder.ok() || !decoder.AtEnd()) return std::nullopt;
  return profile;
}

}  // namespace guilder::member
