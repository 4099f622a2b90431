#include "services/member/domain/profile.h"

#include <algorithm>

#include "absl/strings/ascii.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"

namespace guilder::member {
namespace {

constexpr uint64_t kFormat = 1;
constexpr size_t kMaxNameBytes = 200;
constexpr size_t kMaxEmailBytes = 254;
constexpr size_t kFewestPhoneDigits = 7;
constexpr size_t kMostPhoneDigits = 15;
constexpr std::string_view kEllipsis = "…";
constexpr std::string_view kDot = "•";

absl::Status Malformed(const char* field) {
  return Refuse(Reason::kRequestMalformed, field, {{"field", field}});
}

absl::StatusOr<std::string> CheckedName(const char* field, const std::string& name) {
  const std::string trimmed(absl::StripAsciiWhitespace(name));
  const bool printable = std::none_of(trimmed.begin(), trimmed.end(),
                                      [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (trimmed.size() > kMaxNameBytes || !printable) return Malformed(field);
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
    auto phone = NormalPhone(profile.phone);
    if (!phone) return Malformed("phone");
    checked.phone = *std::move(phone);
  }
  if (!profile.email.empty()) {
    auto email = NormalEmail(profile.email);
    if (!email) return Malformed("email");
    checked.email = *std::move(email);
  }
  return checked;
}

std::optional<std::string> NormalPhone(std::string_view phone) {
  std::string normal;
  for (const char c : phone) {
    if (std::string_view(" -./()").find(c) != std::string_view::npos) continue;
    if (normal.empty() ? c != '+' : !absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      return std::nullopt;
    }
    normal.push_back(c);
  }
  if (normal.size() < 1 + kFewestPhoneDigits || normal.size() > 1 + kMostPhoneDigits) {
    return std::nullopt;
  }
  return normal;
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
  encoder.Unsigned(kFormat)
      .Bytes(profile.given_name)
      .Bytes(profile.family_name)
      .Bytes(profile.phone)
      .Bytes(profile.email);
  return encoder.Take();
}

std::optional<Profile> DecodeProfile(std::string_view bytes) {
  Decoder decoder(bytes);
  if (decoder.Unsigned() != kFormat) return std::nullopt;
  Profile profile;
  profile.given_name = decoder.Bytes();
  profile.family_name = decoder.Bytes();
  profile.phone = decoder.Bytes();
  profile.email = decoder.Bytes();
  if (!decoder.ok() || !decoder.AtEnd()) return std::nullopt;
  return profile;
}

}  // namespace guilder::member
