#include "services/partner/domain/point_block.h"

#include <algorithm>
#include <utility>

#include "libs/base/reason.h"

namespace guilder::partner {

absl::Status CheckBlockPoints(Points points) {
  if (points > Points(0) && points <= kMaxPointsPerCommand) return absl::OkStatus();
  return Refuse(Reason::kAmountOutOfRange, "points", {{"points", std::to_string(points.value())}});
}

absl::Status CheckMayBuyPoints(const Partner& partner) {
  const bool leaves =
      partner.state == PartnerState::kTerminating || partner.state == PartnerState::kTerminated;
  if (!leaves) return absl::OkStatus();
  return Refuse(Reason::kWrongState, {}, {{"state", std::string(StateName(partner.state))}});
}

std::vector<PointBlockUsage> UsageOf(std::vector<PointBlock> latest_first, Points remaining) {
  std::vector<PointBlockUsage> usage;
  usage.reserve(latest_first.size());
  for (PointBlock& block : latest_first) {
    const Points left = std::min(block.points, remaining);
    remaining -= left;
    usage.push_back({std::move(block), left});
  }
  return usage;
}

}  // namespace guilder::partner
