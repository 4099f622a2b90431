#include "libs/security/member_token.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"

namespace guilder::security {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;

}  // namespace

std::string MemberTokens::Signed(std::string_view id) const {
  const std::string named = absl::StrCat("gm_", ToAbsl(id));
  return absl::StrCat(named, "_", ToHex(AsView(hasher_.Hash(named))));
}

std::string MemberTokens::Make(AccountId account, Timestamp expires_at) const {
  return Signed(absl::StrCat(account.value(), "-", expires_at.value() / kMicrosPerSecond));
}

std::optional<AccountId> MemberTokens::Open(std::string_view token, Timestamp now) const {
  const std::optional<ParsedKey> key = ParseKey(token);
  if (!key || key->kind != KeyKind::kMember) return std::nullopt;
  if (!ConstantTimeEquals(token, Signed(key->id))) return std::nullopt;
  const size_t dash = key->id.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto account = ParseInt(key->id.substr(0, dash));
  const auto expires_s = ParseInt(key->id.substr(dash + 1));
  if (!account || !expires_s || now.value() / kMicrosPerSecond >= *expires_s) return std::nullopt;
  return AccountId(*account);
}

}  // namespace guilder::security
