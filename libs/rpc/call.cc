#include "libs/rpc/call.h"

#include <algorithm>

#include "libs/base/reason.h"

namespace guilder::rpc {

absl::Status Call::CheckActsFor(PartnerId partner) const {
  if (principal_.IsOperator()) return absl::OkStatus();
  if (principal_.IsPartner() && principal_.partner == partner) return absl::OkStatus();
  return Refuse(Reason::kNotYours);
}

absl::Status Call::CheckActsForMember(AccountId account) const {
  if (!principal_.IsMember() || principal_.account == account) return absl::OkStatus();
  return Refuse(Reason::kMemberNotFound);
}

absl::Status Call::CheckActsIn(std::string_view store_code) const {
  if (principal_.stores == nullptr) return absl::OkStatus();
  if (std::binary_search(principal_.stores->begin(), principal_.stores->end(), store_code)) {
    return absl::OkStatus();
  }
  return Refuse(Reason::kNotYours, "the credential is not for this store");
}

}  // namespace guilder::rpc
