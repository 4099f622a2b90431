// Points that partners buy in advance.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "services/partner/domain/partner.h"

namespace guilder::partner {

// What becomes of the money of points that a block's end finds unused.
enum class BlockEnding {
  kNone,     // Of a block without an end: credited when the partner leaves.
  kCredit,   // The next settlement credits it.
  kForfeit,  // The programme keeps it.
};
// "CREDIT", as in partner.point_blocks; empty for kNone.
std::string_view EndingName(BlockEnding ending);
// kNone for a name that is none.
BlockEnding EndingFromName(std::string_view name);

// A row of partner.point_blocks. It never changes: what is used of a partner's blocks is the
// ledger's business, and what their ends took has rows of its own.
struct PointBlock {
  int64_t number = 0;
  Points points;
  Timestamp bought_at;
  std::string sold_by;
  // Number of the contract version at whose rate it is billed; 0 for one that was sold before
  // versions priced blocks, and is not billed.
  int64_t contract = 0;
  // From when on nothing is given of it.
  std::optional<Timestamp> ends_at{};
  BlockEnding when_ended = BlockEnding::kNone;
  // Used after all blocks that are none.
  bool reserve = false;
  // Whether its end was found over, and what that took so far.
  bool over = false;
  Points ended{};
};

// Errors: AMOUNT_OUT_OF_RANGE, the points are not from 1 to kMaxPointsPerCommand;
// REQUEST_MALFORMED, an end without what becomes of the rest, or the other way round.
absl::Status CheckBlock(const PointBlock& block);

// Error: REQUEST_MALFORMED, the block would be over at once.
absl::Status CheckBlockEnd(const PointBlock& block, Timestamp now);

// Error: WRONG_STATE, the partner is leaving or has left.
absl::Status CheckMayBuyPoints(const Partner& partner);

struct PointBlockUsage {
  PointBlock block;
  Points remaining;
};

// What each block has left of what all have left: open blocks are used in the order in which they
// were bought, reserves last. `last_used_first` may leave out the ones that are used first.
std::vector<PointBlockUsage> UsageOf(std::vector<PointBlock> last_used_first, Points remaining);

// What the end of one block takes.
struct BlockEnd {
  int64_t number = 0;
  Points points;
  BlockEnding what = BlockEnding::kNone;

  friend bool operator==(const BlockEnd&, const BlockEnd&) = default;
};

// The blocks whose ends have come, each with what it has left, maybe nothing. What is left beyond
// what open blocks can hold came back to blocks that are over, and is taken from those, the last
// used first. `last_used_first` are all blocks of a partner. Of one that has left (HasLeft) all
// blocks are over, and those without an end of their own are credited.
std::vector<BlockEnd> EndBlocks(const std::vector<PointBlock>& last_used_first, Points remaining,
                                Timestamp now, bool partner_left);

// What reserves may be used for: what is left of them, of what all blocks have left.
Points ReserveLeft(const std::vector<PointBlock>& last_used_first, Points remaining);

}  // namespace guilder::partner
