#include "services/member/domain/vault.h"

#include "absl/strings/str_cat.h"

#include "libs/security/envelope.h"

namespace guilder::member {
namespace {

std::string KeyContext(AccountId member) {
  return absl::StrCat("member-key/", member.value());
}
std::string ProfileContext(AccountId member) {
  return absl::StrCat("member-profile/", member.value());
}

}  // namespace

Vault::Vault(const security::Secrets& secrets)
    : key_(secrets.Derive("guilder/member-key/1")),
      phones_(secrets.Derive("guilder/member-phone-index/1")),
      emails_(secrets.Derive("guilder/member-email-index/1")),
      fingerprints_(secrets.Derive("guilder/member-fingerprint/1")) {}

SealedProfile Vault::Seal(AccountId member, const Profile& profile) const {
  const std::string key = security::NewSealingKey();
  return {security::Seal(key_, KeyContext(member), key),
          security::Seal(key, ProfileContext(member), EncodeProfile(profile))};
}

std::optional<Profile> Vault::Open(AccountId member, const SealedProfile& sealed) const {
  const auto key = security::Open(key_, KeyContext(member), sealed.key);
  if (!key) return std::nullopt;
  const auto profile = security::Open(*key, ProfileContext(member), sealed.profile);
  if (!profile) return std::nullopt;
  return DecodeProfile(*profile);
}

}  // namespace guilder::member
