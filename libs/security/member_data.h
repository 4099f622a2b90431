// How what is known of a member is sealed: keys and contexts that its writer and its readers share.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/types.h"
#include "libs/security/key_ring.h"

namespace guilder::security {

// The key under which an epoch seals members' keys.
std::string MemberKeySealer(const std::string& epoch_key);
// To what a member's key is bound as it is sealed.
std::string MemberKeyContext(AccountId member);
// To what is bound what the member's key seals: "profile", "person", "birthday".
std::string MemberDataContext(std::string_view what, AccountId member);

// The day and month of birth, as "12-31": all that rules may see of a person.
inline constexpr char kBirthdayData[] = "birthday";

// Opens single facts of members, for services that need no more of the person. Thread safe.
class MemberDataReader {
 public:
  explicit MemberDataReader(std::shared_ptr<KeyRing> ring) : ring_(std::move(ring)) {}

  // Nothing when the member's key or the epoch's was destroyed, or the bytes are another's.
  std::optional<std::string> Open(std::string_view what, AccountId member, int64_t epoch,
                                  std::string_view sealed_key, std::string_view sealed) const;

 private:
  const std::shared_ptr<KeyRing> ring_;
};

}  // namespace guilder::security
