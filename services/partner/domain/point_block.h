// Points that partners buy in advance.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "services/partner/domain/partner.h"

namespace guilder::partner {

// A row of partner.point_blocks. It never changes: what is used of a partner's blocks is the
// ledger's business.
struct PointBlock {
  int64_t number = 0;
  Points points;
  Timestamp bought_at;
  std::string sold_by;
  // Number of the contract version at whose rate it is billed; 0 for one that was sold before
  // versions priced blocks, and is not billed.
  int64_t contract = 0;
};

// Error: AMOUNT_OUT_OF_RANGE, not from 1 to kMaxPointsPerCommand.
absl::Status CheckBlockPoints(Points points);

// Error: WRONG_STATE, the partner is leaving or has left.
absl::Status CheckMayBuyPoints(const Partner& partner);

struct PointBlockUsage {
  PointBlock block;
  Points remaining;
};

// What each block has left of what all have left, when the blocks are used in the order in which
// they were bought. `latest_first` may leave out the earliest ones.
std::vector<PointBlockUsage> UsageOf(std::vector<PointBlock> latest_first, Points remaining);

}  // namespace guilder::partner
