#include "services/member/domain/vault.h"

#include <cstring>

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/security/envelope.h"
#include "libs/security/member_data.h"

namespace guilder::member {
namespace {

// Epochs at a time; more are forgotten with the oldest process.
constexpr size_t kMostEpochsRemembered = 16;

std::string Derive(const std::string& master, std::string_view label) {
  return std::string(AsView(security::KeyHasher(master).Hash(label)));
}

}  // namespace

std::string MemberKey::Seal(std::string_view what, const Profile& profile) const {
  return security::Seal(key_, security::MemberDataContext(what, member_), EncodeProfile(profile));
}

std::optional<Profile> MemberKey::Open(std::string_view what, std::string_view sealed) const {
  const auto profile = security::Open(key_, security::MemberDataContext(what, member_), sealed);
  if (!profile) return std::nullopt;
  return DecodeProfile(*profile);
}

std::string MemberKey::SealText(std::string_view what, std::string_view text) const {
  return security::Seal(key_, security::MemberDataContext(what, member_), text);
}

std::optional<std::string> MemberKey::OpenText(std::string_view what,
                                               std::string_view sealed) const {
  return security::Open(key_, security::MemberDataContext(what, member_), sealed);
}

std::optional<std::string> MemberKey::SealBirthday(const Profile& profile) const {
  constexpr size_t kYear = sizeof "1990-" - 1;
  if (profile.birth_date.size() <= kYear) return std::nullopt;
  return security::Seal(key_, security::MemberDataContext(security::kBirthdayData, member_),
                        std::string_view(profile.birth_date).substr(kYear));
}

Vault::EpochKeys::EpochKeys(const std::string& master)
    : key(security::MemberKeySealer(master)),
      phones(Derive(master, "guilder/member-phone-index/1")),
      emails(Derive(master, "guilder/member-email-index/1")) {}

Vault::Vault(const security::Secrets& secrets)
    : ring_(secrets.member_keys()),
      fingerprints_(secrets.Derive("guilder/member-fingerprint/1")),
      locks_(secrets.Derive("guilder/member-phone-lock/1")),
      marks_(secrets.Derive("guilder/person-mark/1")) {}

std::shared_ptr<const Vault::EpochKeys> Vault::Remembered(int64_t epoch,
                                                          const std::string& master) const {
  const std::lock_guard lock(mutex_);
  if (keys_.size() > kMostEpochsRemembered) keys_.clear();
  auto& keys = keys_[absl::StrCat(epoch, "/", master)];
  if (keys == nullptr) keys = std::make_shared<const EpochKeys>(master);
  return keys;
}

absl::StatusOr<std::shared_ptr<const Vault::EpochKeys>> Vault::KeysOf(int64_t epoch) const {
  GUILDER_ASSIGN_OR_RETURN(const std::string master, ring_->Find(epoch));
  return Remembered(epoch, master);
}

std::vector<std::shared_ptr<const Vault::EpochKeys>> Vault::AllKeys() const {
  std::vector<std::shared_ptr<const EpochKeys>> all;
  for (const auto& [number, master] : ring_->All()) all.push_back(Remembered(number, master));
  return all;
}

absl::StatusOr<SealedProfile> Vault::Seal(AccountId member, const Profile& profile,
                                          int64_t epoch) const {
  const MemberKey key(member, security::NewSealingKey());
  GUILDER_ASSIGN_OR_RETURN(std::string sealed_key, SealKey(key, epoch));
  return SealedProfile{std::move(sealed_key), key.Seal(kOwnProfile, profile), epoch,
                       key.SealBirthday(profile)};
}

absl::StatusOr<std::string> Vault::SealKey(const MemberKey& key, int64_t epoch) const {
  GUILDER_ASSIGN_OR_RETURN(const auto keys, KeysOf(epoch));
  return security::Seal(keys->key, security::MemberKeyContext(key.member_), key.key_);
}

std::optional<MemberKey> Vault::OpenKey(AccountId member, const SealedProfile& sealed) const {
  const auto keys = KeysOf(sealed.epoch);
  if (!keys.ok()) return std::nullopt;
  auto key = security::Open((*keys)->key, security::MemberKeyContext(member), sealed.key);
  if (!key) return std::nullopt;
  return MemberKey(member, *std::move(key));
}

std::optional<Profile> Vault::Open(AccountId member, const SealedProfile& sealed) const {
  const auto key = OpenKey(member, sealed);
  if (!key) return std::nullopt;
  return key->Open(kOwnProfile, sealed.profile);
}

absl::StatusOr<ContactIndexes> Vault::IndexesOf(const Profile& profile, int64_t epoch) const {
  GUILDER_ASSIGN_OR_RETURN(const auto keys, KeysOf(epoch));
  ContactIndexes indexes;
  if (!profile.phone.empty()) indexes.phone = keys->phones.Hash(profile.phone);
  if (!profile.email.empty()) indexes.email = keys->emails.Hash(profile.email);
  return indexes;
}

std::vector<Digest> Vault::PhoneIndexes(std::string_view phone) const {
  std::vector<Digest> indexes;
  for (const auto& keys : AllKeys()) indexes.push_back(keys->phones.Hash(phone));
  return indexes;
}

std::vector<Digest> Vault::EmailIndexes(std::string_view email) const {
  std::vector<Digest> indexes;
  for (const auto& keys : AllKeys()) indexes.push_back(keys->emails.Hash(email));
  return indexes;
}

std::vector<Digest> Vault::MarksOf(const Profile& profile) const {
  std::vector<Digest> marks;
  if (!profile.phone.empty()) marks.push_back(marks_.Hash(absl::StrCat("phone/", profile.phone)));
  if (!profile.email.empty()) marks.push_back(marks_.Hash(absl::StrCat("email/", profile.email)));
  return marks;
}

int64_t Vault::LockOf(std::string_view phone) const {
  const Digest digest = locks_.Hash(phone);
  int64_t lock = 0;
  std::memcpy(&lock, digest.data(), sizeof lock);
  return lock;
}

Digest Vault::Fingerprint(const Profile& profile, std::string_view more) const {
  std::string bytes = EncodeProfile(profile);
  bytes += more;
  return fingerprints_.Hash(bytes);
}

}  // namespace guilder::member
