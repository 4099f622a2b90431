#include "services/partner/domain/point_block.h"

#include <algorithm>
#include <utility>

#include "libs/base/reason.h"

namespace guilder::partner {

std::string_view EndingName(BlockEnding ending) {
  switch (ending) {
    case BlockEnding::kNone:
      return "";
    case BlockEnding::kCredit:
      return "CREDIT";
    case BlockEnding::kForfeit:
      return "FORFEIT";
  }
  return "";
}

BlockEnding EndingFromName(std::string_view name) {
  if (name == "CREDIT") return BlockEnding::kCredit;
  return name == "FORFEIT" ? BlockEnding::kForfeit : BlockEnding::kNone;
}

absl::Status CheckBlock(const PointBlock& block) {
  if (block.points <= Points(0) || block.points > kMaxPointsPerCommand) {
    return Refuse(Reason::kAmountOutOfRange, "points",
                  {{"points", std::to_string(block.points.value())}});
  }
  if (block.ends_at.has_value() == (block.when_ended != BlockEnding::kNone)) {
    return absl::OkStatus();
  }
  return Refuse(Reason::kRequestMalformed, "an end needs what becomes of the unused points' money",
                {{"field", "when_ended"}});
}

absl::Status CheckBlockEnd(const PointBlock& block, Timestamp now) {
  if (!block.ends_at || *block.ends_at > now) return absl::OkStatus();
  return Refuse(Reason::kRequestMalformed, "the block would be over already",
                {{"field", "end_time"}});
}

absl::Status CheckMayBuyPoints(const Partner& partner) {
  const bool leaves =
      partner.state == PartnerState::kTerminating || partner.state == PartnerState::kTerminated;
  if (!leaves) return absl::OkStatus();
  return Refuse(Reason::kWrongState, {}, {{"state", std::string(StateName(partner.state))}});
}

std::vector<PointBlockUsage> UsageOf(std::vector<PointBlock> last_used_first, Points remaining) {
  std::vector<PointBlockUsage> usage;
  usage.reserve(last_used_first.size());
  for (PointBlock& block : last_used_first) {
    const Points left = block.over ? Points() : std::min(block.points, remaining);
    remaining -= left;
    usage.push_back({std::move(block), left});
  }
  return usage;
}

std::vector<BlockEnd> EndBlocks(const std::vector<PointBlock>& last_used_first, Points remaining,
                                Timestamp now, bool partner_left) {
  const auto ending_of = [](const PointBlock& block) {
    return block.when_ended == BlockEnding::kNone ? BlockEnding::kCredit : block.when_ended;
  };
  std::vector<BlockEnd> ends;
  Points beyond = remaining;
  for (const PointBlockUsage& usage : UsageOf(last_used_first, remaining)) {
    const PointBlock& block = usage.block;
    beyond -= usage.remaining;
    const bool ends_now = partner_left || (block.ends_at && *block.ends_at <= now);
    if (block.over || !ends_now) continue;
    ends.push_back({block.number, usage.remaining, ending_of(block)});
  }
  for (const PointBlock& block : last_used_first) {
    if (beyond == Points()) break;
    const Points came_back = block.over ? std::min(beyond, block.points - block.ended) : Points();
    if (came_back == Points()) continue;
    ends.push_back({block.number, came_back, ending_of(block)});
    beyond -= came_back;
  }
  return ends;
}

Points ReserveLeft(const std::vector<PointBlock>& last_used_first, Points remaining) {
  Points left;
  for (const PointBlockUsage& usage : UsageOf(last_used_first, remaining)) {
    if (usage.block.reserve) left += usage.remaining;
  }
  return left;
}

}  // namespace guilder::partner
