// Rewards of the catalogue: what they cost, who may have them, and when. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/decision_context.h"
#include "libs/ledger/core/limit.h"

namespace guilder::redemption {

using RewardId = StrongId<struct RewardTag, int32_t>;

// The numbers are stored.
enum class RewardKind : int16_t { kGift = 1, kVoucher = 2 };

inline constexpr Points kMaxRewardPoints{1'000'000'000};
inline constexpr int64_t kMaxStock = 1'000'000'000;
inline constexpr int64_t kMaxQuantity = 100;

// One version of a price. A price that was replaced is honoured for a while, because somebody may
// have been shown it at the last moment.
struct Price {
  int32_t version = 0;
  Points points;
  // Paid to the supplier besides, in the programme's currency; this network does not move it.
  MinorUnits money;
  Timestamp honoured_until = kNever;  // exclusive; kNever for the price in force
};

// What a voucher pays, where and how long.
struct VoucherTerms {
  MinorUnits face;
  std::vector<PartnerId> partners;
  bool single_use = false;
  int validity_days = 0;
};

// How many a member of a tier may have; 0 for as many as any member may.
struct TierLimit {
  std::string tier;
  int limit = 0;
};

// What a batch knows of a member, about one reward.
struct Holdings {
  // Pieces ordered, or vouchers issued.
  int64_t has = 0;
  // The member's tier now; empty for none.
  std::string tier;
};

struct Reward {
  RewardId id;
  std::string slug;
  RewardKind kind{};
  std::string display_name;
  std::string description;
  bool withdrawn = false;
  // Who sends a gift, and is owed for its points; none for a voucher.
  PartnerId supplier;
  StoreId store;
  int price_ttl_seconds = 0;
  bool stock_limited = false;
  int per_member_limit = 0;  // 0 for none
  // Where there are any, it is for members of these tiers only.
  std::vector<TierLimit> tier_limits;
  Timestamp valid_from;
  Timestamp valid_until = kNever;  // exclusive
  std::vector<std::string> regions;
  int confirm_within_days = 0;  // of a gift
  VoucherTerms voucher;
  // The price in force, and those before it, latest first.
  std::vector<Price> prices;
  int64_t revision = 0;
};

inline ledger::LimitId StockOf(RewardId reward) {
  return ledger::StockOf(reward.value());
}

// Whether a reward's own fields are as a catalogue may have them; what they name is not looked up.
//
// Refuses: kRequestMalformed, with the field; kAmountOutOfRange.
absl::Status CheckReward(const Reward& reward);

// Whether it may be had now, by somebody in that region.
//
// Refuses: kRewardNotAvailable.
absl::Status CheckAvailable(const Reward& reward, RewardKind kind, const std::string& region,
                            Timestamp now);

// The price that an order which names `version` gets: that one where it is in force or still
// honoured, the one in force for version 0.
//
// Refuses: kPriceChanged, with the version in force.
absl::StatusOr<Price> PriceFor(const Reward& reward, int32_t version, Timestamp now);

// Whether a member that has so many may have so many more, and the stock has them: what is left of
// it is known where the lane found it to be too little.
//
// Refuses: kRewardNotAvailable for another tier, kMemberLimitReached, kOutOfStock.
absl::Status CheckLimits(const Reward& reward, const Holdings& holdings, int64_t more,
                         const ledger::DecisionContext& context);

}  // namespace guilder::redemption
