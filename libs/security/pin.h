// Members' PINs and one-time codes: how they are kept and compared.
#pragma once

#include <string>
#include <string_view>

#include "libs/base/types.h"
#include "libs/security/secrets.h"

namespace guilder::security {

// A PIN has few digits, so a stolen table could be tried through: what is kept is Argon2id over an
// HMAC under a key of the installation, so the table alone says nothing. Thread safe.
class PinHasher {
 public:
  explicit PinHasher(const Secrets& secrets) : key_(secrets.Derive("guilder/member-pin/1")) {}

  // 4 to 12 digits.
  static bool IsPin(std::string_view pin);
  // The text to be stored. Takes some hundredths of a second and 16 MiB: not for lanes.
  std::string Hash(AccountId account, std::string_view pin) const;
  bool Matches(AccountId account, std::string_view pin, const std::string& stored) const;

  // Eight random digits.
  static std::string NewCode();
  // What is stored of a one-time code, which lives for minutes. Quick.
  Digest HashCode(AccountId account, std::string_view code) const;

 private:
  Digest Keyed(std::string_view purpose, AccountId account, std::string_view secret) const;

  const std::string key_;
};

}  // namespace guilder::security
