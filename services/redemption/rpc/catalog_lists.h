// What the catalogue's handlers of orders and vouchers do alike.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "services/redemption/store/orders.h"

namespace guilder::redemption {

// The reward of a name. Errors: kRewardNotFound.
absl::StatusOr<RewardId> ReadRewardId(postgres::Pool& pool, const std::string& name,
                                      absl::Time deadline);

// Whose things a list shows: a member its own, a partner its own, an operator all or a member's.
// Errors: kMemberNotFound, also for what a caller may not name.
absl::StatusOr<SeenBy> WhoSees(const rpc::Call& call, const std::string& member);

// Where a list by name continues.
std::string PositionOf(const RecordKey& key);
RecordKey KeyOf(std::string_view position);

}  // namespace guilder::redemption
