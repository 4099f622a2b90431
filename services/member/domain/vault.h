// How personal data leaves memory: sealed, or as digests that only this installation can make.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/security/keys.h"
#include "libs/security/secrets.h"
#include "services/member/domain/profile.h"

namespace guilder::member {

// A member's profile under a key of its own, and that key under the key of an epoch.
struct SealedProfile {
  std::string key;
  std::string profile;
  int64_t epoch = 0;
  // The day and month of birth by themselves; none where the date is not known. Only written.
  std::optional<std::string> birthday{};
};

// What a person is found by, in an epoch.
struct ContactIndexes {
  std::optional<Digest> phone;
  std::optional<Digest> email;
};

// A member's own key, opened. Seals what is the member's.
class MemberKey {
 public:
  // Bound to the member and to what it is: the profile, or a person who shares the account.
  std::string Seal(std::string_view what, const Profile& profile) const;
  std::optional<Profile> Open(std::string_view what, std::string_view sealed) const;
  // The same of a text.
  std::string SealText(std::string_view what, std::string_view text) const;
  std::optional<std::string> OpenText(std::string_view what, std::string_view sealed) const;
  // The day and month of birth of a checked profile, for those who need no more; none without.
  std::optional<std::string> SealBirthday(const Profile& profile) const;

 private:
  friend class Vault;
  MemberKey(AccountId member, std::string key) : member_(member), key_(std::move(key)) {}
  AccountId member_;
  std::string key_;
};

inline constexpr char kOwnProfile[] = "profile";
inline constexpr char kSharedProfile[] = "person";

// Keys of epochs come from the installation's ring: after an epoch is dropped from it, nothing that
// was sealed in that epoch opens, and nobody is found by what was indexed in it. Thread safe.
class Vault {
 public:
  explicit Vault(const security::Secrets& secrets);

  // In the epoch that the database names. Bound to the member: the sealed bytes of one member do
  // not open as another's. Error: FAILED_PRECONDITION, the ring lacks the epoch.
  absl::StatusOr<SealedProfile> Seal(AccountId member, const Profile& profile, int64_t epoch) const;
  // Nothing when they were changed, belong to another member or installation, or their epoch was
  // dropped.
  std::optional<Profile> Open(AccountId member, const SealedProfile& sealed) const;
  std::optional<MemberKey> OpenKey(AccountId member, const SealedProfile& sealed) const;
  // The member's key as it is sealed in another epoch. Error: FAILED_PRECONDITION, as for Seal.
  absl::StatusOr<std::string> SealKey(const MemberKey& key, int64_t epoch) const;

  // For finding a person by phone number or e-mail address in normal form; nothing for what is
  // empty. Error: FAILED_PRECONDITION, as for Seal.
  absl::StatusOr<ContactIndexes> IndexesOf(const Profile& profile, int64_t epoch) const;
  // In all epochs of the ring.
  std::vector<Digest> PhoneIndexes(std::string_view phone) const;
  std::vector<Digest> EmailIndexes(std::string_view email) const;

  // What is remembered for ever of a phone number or an address that got a bonus: keyed digests in
  // no epoch, so that they outlive an erasure. Of the phone number first.
  std::vector<Digest> MarksOf(const Profile& profile) const;

  // Which lock keeps two people from taking a phone number at once. Not stored.
  int64_t LockOf(std::string_view phone) const;

  // The fingerprint of an enrolment: the journal keeps it for ever, and it must not say who it was.
  // Covers the encoded profile, which begins with its format's version, and what else was asked.
  Digest Fingerprint(const Profile& profile, std::string_view more = {}) const;

  // Whether what was sealed in an epoch still opens.
  bool Knows(int64_t epoch) const { return ring_->Find(epoch).ok(); }

  security::KeyRing& ring() const { return *ring_; }

 private:
  struct EpochKeys {
    explicit EpochKeys(const std::string& master);
    std::string key;
    security::KeyHasher phones;
    security::KeyHasher emails;
  };
  absl::StatusOr<std::shared_ptr<const EpochKeys>> KeysOf(int64_t epoch) const;
  std::vector<std::shared_ptr<const EpochKeys>> AllKeys() const;
  std::shared_ptr<const EpochKeys> Remembered(int64_t epoch, const std::string& master) const;

  const std::shared_ptr<security::KeyRing> ring_;
  const security::KeyHasher fingerprints_;
  const security::KeyHasher locks_;
  const security::KeyHasher marks_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<const EpochKeys>> keys_;  // guarded by mutex_
};

}  // namespace guilder::member
