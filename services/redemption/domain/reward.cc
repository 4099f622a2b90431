#include "services/redemption/domain/reward.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "absl/strings/ascii.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"

namespace guilder::redemption {
namespace {

constexpr size_t kMaxNameCharacters = 100;
constexpr size_t kMaxDescriptionCharacters = 1'000;
constexpr size_t kMaxRegions = 50;
constexpr size_t kMaxRegionCharacters = 32;
constexpr size_t kMaxVoucherPartners = 100;
constexpr size_t kMaxTierLimits = 20;

absl::Status Malformed(const char* field) {
  return Refuse(Reason::kRequestMalformed, field, {{"field", field}});
}

absl::Status OutOfRange(const char* field) {
  return Refuse(Reason::kAmountOutOfRange, field, {{"field", field}});
}

size_t Characters(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// A text that PostgreSQL stores and people can read.
bool IsText(std::string_view text, size_t most_characters) {
  return Characters(text) <= most_characters && text.find('\0') == std::string_view::npos;
}

absl::Status CheckTexts(const Reward& reward) {
  if (reward.display_name.empty() || !IsText(reward.display_name, kMaxNameCharacters)) {
    return Malformed("display_name");
  }
  if (!IsText(reward.description, kMaxDescriptionCharacters)) return Malformed("description");
  if (reward.regions.size() > kMaxRegions) return Malformed("regions");
  for (const std::string& region : reward.regions) {
    // Stored one a line.
    const bool one_line = region.find('\n') == std::string::npos;
    if (region.empty() || !one_line || !IsText(region, kMaxRegionCharacters)) {
      return Malformed("regions");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckTierLimits(const std::vector<TierLimit>& limits) {
  std::set<std::string_view> tiers;
  for (const TierLimit& limit : limits) {
    // As names of tiers are, which are stored one a line, too.
    const bool name =
        !limit.tier.empty() && limit.tier.size() <= 64 &&
        std::all_of(limit.tier.begin(), limit.tier.end(), [](char c) {
          return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
        });
    if (!name || limit.limit < 0 || !tiers.insert(limit.tier).second) {
      return Malformed("tier_limits");
    }
  }
  return tiers.size() <= kMaxTierLimits ? absl::OkStatus() : Malformed("tier_limits");
}

// What a member may have, by its tier; nothing when it may have none, 0 for any number.
std::optional<int> LimitFor(const Reward& reward, const std::string& tier) {
  if (reward.tier_limits.empty()) return reward.per_member_limit;
  for (const TierLimit& limit : reward.tier_limits) {
    if (limit.tier == tier) return limit.limit > 0 ? limit.limit : reward.per_member_limit;
  }
  return std::nullopt;
}

absl::Status CheckVoucher(const VoucherTerms& voucher) {
  if (voucher.partners.empty() || voucher.partners.size() > kMaxVoucherPartners) {
    return Malformed("voucher.partners");
  }
  if (voucher.validity_days < 1 || voucher.validity_days > 366) {
    return Malformed("voucher.validity_days");
  }
  if (voucher.face <= MinorUnits(0) || voucher.face > kMaxAmount) {
    return OutOfRange("voucher.face_value");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckReward(const Reward& reward) {
  GUILDER_RETURN_IF_ERROR(CheckTexts(reward));
  if (reward.price_ttl_seconds < 60 || reward.price_ttl_seconds > 86'400) {
    return Malformed("price_ttl_seconds");
  }
  if (reward.per_member_limit < 0) return Malformed("per_member_limit");
  GUILDER_RETURN_IF_ERROR(CheckTierLimits(reward.tier_limits));
  if (reward.valid_until <= reward.valid_from) return Malformed("valid_until");
  const Price& price = reward.prices.front();
  if (reward.kind == RewardKind::kGift) {
    if (reward.confirm_within_days < 1 || reward.confirm_within_days > 30) {
      return Malformed("confirm_within_days");
    }
  } else {
    GUILDER_RETURN_IF_ERROR(CheckVoucher(reward.voucher));
    // Nobody could collect it: a voucher has no supplier.
    if (price.money != MinorUnits(0)) return Malformed("price_money");
  }
  if (price.points < Points(1) || price.points > kMaxRewardPoints) {
    return OutOfRange("price_points");
  }
  if (price.money < MinorUnits(0) || price.money > kMaxAmount) return OutOfRange("price_money");
  return absl::OkStatus();
}

absl::Status CheckAvailable(const Reward& reward, RewardKind kind, const std::string& region,
                            Timestamp now) {
  const auto refuse = [](const char* why) { return Refuse(Reason::kRewardNotAvailable, why); };
  if (reward.withdrawn) return refuse("withdrawn");
  if (reward.kind != kind) {
    return refuse(kind == RewardKind::kGift ? "a voucher, to be issued" : "a gift, to be ordered");
  }
  if (now < reward.valid_from) return refuse("not yet");
  if (now >= reward.valid_until) return refuse("no longer");
  if (!reward.regions.empty() &&
      std::find(reward.regions.begin(), reward.regions.end(), region) == reward.regions.end()) {
    return refuse("not in that region");
  }
  return absl::OkStatus();
}

absl::StatusOr<Price> PriceFor(const Reward& reward, int32_t version, Timestamp now) {
  const Price& current = reward.prices.front();
  if (version == 0) return current;
  for (const Price& price : reward.prices) {
    if (price.version == version && now < price.honoured_until) return price;
  }
  return Refuse(Reason::kPriceChanged, {}, {{"price_version", std::to_string(current.version)}});
}

absl::Status CheckLimits(const Reward& reward, const Holdings& holdings, int64_t more,
                         const ledger::DecisionContext& context) {
  const std::optional<int> limit = LimitFor(reward, holdings.tier);
  if (!limit) return Refuse(Reason::kRewardNotAvailable, "not for members of that tier");
  if (*limit > 0 && holdings.has + more > *limit) {
    return Refuse(Reason::kMemberLimitReached, {}, {{"per_member_limit", std::to_string(*limit)}});
  }
  if (const auto left = context.LeftOf(StockOf(reward.id)); left && left->value() < more) {
    return Refuse(Reason::kOutOfStock, {}, {{"remaining_stock", std::to_string(left->value())}});
  }
  return absl::OkStatus();
}

}  // namespace guilder::redemption
