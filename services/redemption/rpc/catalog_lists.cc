#include "services/redemption/rpc/catalog_lists.h"

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "services/redemption/rpc/catalog_proto.h"
#include "services/redemption/store/rewards.h"

namespace guilder::redemption {

absl::StatusOr<RewardId> ReadRewardId(postgres::Pool& pool, const std::string& name,
                                      absl::Time deadline) {
  GUILDER_ASSIGN_OR_RETURN(const std::string slug, ParseRewardName(name));
  return pool.Read(
      [&](postgres::Transaction& tx) -> absl::StatusOr<RewardId> {
        const auto id = FindRewardId(tx, slug);
        if (!id) return Refuse(Reason::kRewardNotFound);
        return *id;
      },
      deadline);
}

absl::StatusOr<SeenBy> WhoSees(const rpc::Call& call, const std::string& member) {
  SeenBy seen_by;
  const rpc::Principal& caller = call.principal();
  if (caller.IsMember()) seen_by.account = caller.account;
  if (caller.IsPartner()) seen_by.partner = caller.partner;
  if (member.empty()) return seen_by;
  GUILDER_ASSIGN_OR_RETURN(const AccountId account, ParseMemberName(member));
  // Partners know no members by name.
  if (caller.IsPartner()) return Refuse(Reason::kMemberNotFound);
  GUILDER_RETURN_IF_ERROR(call.CheckActsForMember(account));
  seen_by.account = account;
  return seen_by;
}

std::string PositionOf(const RecordKey& key) {
  return absl::StrCat(key.first.value(), "-", key.second.value());
}

RecordKey KeyOf(std::string_view position) {
  const size_t hyphen = position.find('-');
  if (hyphen == std::string_view::npos) return {};
  return {BookId(static_cast<int32_t>(ParseInt(position.substr(0, hyphen)).value_or(0))),
          RecordNumber(ParseInt(position.substr(hyphen + 1)).value_or(0))};
}

}  // namespace guilder::redemption
