#include "libs/security/member_data.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/security/envelope.h"
#include "libs/security/keys.h"

namespace guilder::security {

std::string MemberKeySealer(const std::string& epoch_key) {
  return std::string(AsView(KeyHasher(epoch_key).Hash("guilder/member-key/1")));
}

std::string MemberKeyContext(AccountId member) {
  return absl::StrCat("member-key/", member.value());
}

std::string MemberDataContext(std::string_view what, AccountId member) {
  return absl::StrCat("member-", ToAbsl(what), "/", member.value());
}

std::optional<std::string> MemberDataReader::Open(std::string_view what, AccountId member,
                                                  int64_t epoch, std::string_view sealed_key,
                                                  std::string_view sealed) const {
  const absl::StatusOr<std::string> master = ring_->Find(epoch);
  if (!master.ok()) return std::nullopt;
  const auto key = security::Open(MemberKeySealer(*master), MemberKeyContext(member), sealed_key);
  if (!key) return std::nullopt;
  return security::Open(*key, MemberDataContext(what, member), sealed);
}

}  // namespace guilder::security
