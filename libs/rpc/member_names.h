// How callers name members.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/rpc/call.h"
#include "libs/security/pseudonym.h"

namespace guilder::rpc {

// "members/{id}": to operators and to members the account's number; to a partner the pseudonym that
// it alone has for the member. Thread safe.
class MemberNames {
 public:
  explicit MemberNames(const security::Secrets& secrets) : pseudonyms_(secrets) {}

  std::string Of(const Principal& caller, AccountId account) const;
  // kMemberNotFound also for what is no such name, as another partner's pseudonym.
  absl::StatusOr<AccountId> Parse(const Principal& caller, std::string_view name) const;

 private:
  const security::Pseudonyms pseudonyms_;
};

}  // namespace guilder::rpc
