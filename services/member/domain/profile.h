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
  friend bool operator==(const Profile&, const Profile&) = default;
};

// The profile with names trimmed and phone and e-mail in normal form. Error: kRequestMalformed,
// with the detail `field`, never with its value.
absl::StatusOr<Profile> CheckedProfile(const Profile& profile);

// "+" and 7 to 15 digits; spaces, hyphens, dots, slashes and parentheses are dropped.
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
