// What is known of a person.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace guilder::member {

// Any of it may be empty.
struct Profile {
  std::string given_name;
  std::string family_name;
  std::string phone;  // E.164
  std::string email;
  std::string address{};     // in lines
  std::string birth_date{};  // "1990-12-31"
  friend bool operator==(const Profile&, const Profile&) = default;
};

// The profile with texts trimmed and phone and e-mail in normal form. Error: kRequestMalformed,
// with the detail `field` and what is wrong with it, never with its value.
absl::StatusOr<Profile> CheckedProfile(const Profile& profile);

// A phone number in E.164 form: "+", a country code, which does not begin with 0, and 7 to 15
// digits in all. Takes it as people write it: with spaces, hyphens, dots, slashes, parentheses,
// "00" for "+", and "(0)" after the country code. Error: kRequestMalformed, in words that help who
// typed it: a number without its country code could be anybody's.
absl::StatusOr<std::string> CheckedPhone(std::string_view phone);
// Nothing where CheckedPhone refuses.
std::optional<std::string> NormalPhone(std::string_view phone);
// In lower case, with one '@' between its parts. Two addresses that differ in case are one
// person's.
std::optional<std::string> NormalEmail(std::string_view email);

// For who has no need to know: "A…", "+49•••••12", "a…@…".
Profile Masked(const Profile& profile);

// To bytes and back. Nothing for bytes that are no profile.
std::string EncodeProfile(const Profile& profile);
std::optional<Profile> DecodeProfile(std::string_view bytes);

}  // namespace guilder::member
