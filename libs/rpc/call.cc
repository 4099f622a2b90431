#include "libs/rpc/call.h"

#include "libs/base/reason.h"

namespace guilder::rpc {

absl::Status Call::CheckActsFor(PartnerId partner) const {
  if (principal_.IsOperator()) return absl::OkStatus();
  if (principal_.IsPartner() && principal_.partner == partner) return absl::OkStatus();
  return Refuse(Reason::kNotYours);
}

}  // namespace guilder::rpc
