#include "libs/rpc/member_names.h"

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/rpc/names.h"

namespace guilder::rpc {
namespace {

constexpr std::string_view kPattern = "members/{}";

}  // namespace

std::string MemberNames::Of(const Principal& caller, AccountId account) const {
  return absl::StrCat("members/", caller.IsPartner() ? pseudonyms_.Of(caller.partner, account)
                                                     : absl::StrCat(account.value()));
}

absl::StatusOr<AccountId> MemberNames::Parse(const Principal& caller, std::string_view name) const {
  if (caller.IsPartner()) {
    const auto parts = ParseName(kPattern, name);
    if (!parts) return Refuse(Reason::kMemberNotFound);
    const auto account = pseudonyms_.Open(caller.partner, (*parts)[0]);
    if (!account) return Refuse(Reason::kMemberNotFound);
    return *account;
  }
  const auto numbers = ParseNumberedName(kPattern, name);
  if (!numbers) return Refuse(Reason::kMemberNotFound);
  return AccountId((*numbers)[0]);
}

}  // namespace guilder::rpc
