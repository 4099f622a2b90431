// What partners call members: names that two partners cannot compare.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/base/types.h"
#include "libs/security/keys.h"
#include "libs/security/secrets.h"

namespace guilder::security {

// Each partner knows a member by a name of its own, which says nothing of the account, and nothing
// of what another partner calls the same member. It is no row of a table: whoever has the
// installation's secrets finds the account from it, so it works at once in every service.
//
// "p-" and 32 hexadecimal digits: eight bytes of HMAC(partner, account), and the account under a
// pad that follows from these (the construction of AES-SIV, RFC 5297, with HMAC-SHA-256). The same
// account gives the same name; a name that was made up, or is another partner's, does not open.
//
// Thread safe.
class Pseudonyms {
 public:
  explicit Pseudonyms(const Secrets& secrets)
      : hasher_(secrets.Derive("guilder/member-pseudonym/1")) {}

  std::string Of(PartnerId partner, AccountId account) const;
  std::optional<AccountId> Open(PartnerId partner, std::string_view pseudonym) const;

 private:
  uint64_t Word(char purpose, PartnerId partner, uint64_t value) const;
  const KeyHasher hasher_;
};

}  // namespace guilder::security
