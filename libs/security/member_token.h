// Tokens that members call with: short-lived, for one's own account, and not stored.
//
// `gm_<account>-<expiry in seconds>_<HMAC-SHA-256 of what is before>`. Whoever has the
// installation's secrets can check one, so it works at once in every service.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/base/types.h"
#include "libs/security/keys.h"
#include "libs/security/secrets.h"

namespace guilder::security {

// Thread safe.
class MemberTokens {
 public:
  explicit MemberTokens(const Secrets& secrets)
      : hasher_(secrets.Derive("guilder/member-token/1")) {}

  // A token that works until then, to the second.
  std::string Make(AccountId account, Timestamp expires_at) const;
  // Whose it is; nothing for one that was not made here, or has expired.
  std::optional<AccountId> Open(std::string_view token, Timestamp now) const;

 private:
  std::string Signed(std::string_view id) const;
  const KeyHasher hasher_;
};

}  // namespace guilder::security
