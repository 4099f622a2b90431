// How personal data leaves memory: sealed, or as digests that only this installation can make.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/base/types.h"
#include "libs/security/keys.h"
#include "libs/security/secrets.h"
#include "services/member/domain/profile.h"

namespace guilder::member {

// A member's profile under a key of its own, and that key under the installation's.
struct SealedProfile {
  std::string key;
  std::string profile;
};

// Thread safe.
class Vault {
 public:
  explicit Vault(const security::Secrets& secrets);

  // Bound to the member: the sealed bytes of one member do not open as another's.
  SealedProfile Seal(AccountId member, const Profile& profile) const;
  // Nothing when they were changed, belong to another member, or to another installation.
  std::optional<Profile> Open(AccountId member, const SealedProfile& sealed) const;

  // For finding a member by a phone number or e-mail address in normal form.
  Digest PhoneIndex(std::string_view phone) const { return phones_.Hash(phone); }
  Digest EmailIndex(std::string_view email) const { return emails_.Hash(email); }

  // The fingerprint of an enrolment: the journal keeps it for ever, and it must not say who it was.
  // Covers the encoded profile, which begins with its format's version.
  Digest Fingerprint(const Profile& profile) const {
    return fingerprints_.Hash(EncodeProfile(profile));
  }

 private:
  const std::string key_;
  const security::KeyHasher phones_;
  const security::KeyHasher emails_;
  const security::KeyHasher fingerprints_;
};

}  // namespace guilder::member
