#include "services/cli/demo/wallets.h"

#include <algorithm>
#include <utility>

namespace guilder::cli::demo {
namespace {

constexpr int64_t kLeastAvailable = 150;
constexpr int64_t kMostRedeemed = 1'500;
constexpr int64_t kRedeemedMultiple = 50;

// SplitMix64: the same everywhere, unlike the standard library's distributions.
uint64_t Mix(uint64_t value) {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31);
}

uint64_t Chance(size_t step, size_t member) {
  return Mix(step * 1'000'003 + member);
}

void ChooseEnding(uint64_t chance, PlannedRedemption& redemption) {
  redemption.capture_points = redemption.points;
  if (chance % 20 == 0) {
    redemption.ending = Ending::kVoid;
    redemption.capture_points = 0;
  } else if (chance % 20 == 1) {
    redemption.ending = Ending::kPartial;
    redemption.capture_points = redemption.points * 3 / 5;
  } else if (chance % 20 == 2) {
    redemption.refund_points = redemption.points / 2;
  }
}

}  // namespace

void Wallets::Earn(size_t member, int64_t points, Timestamp activates_at) {
  if (points > 0) wallets_[member].pending.emplace(activates_at, points);
}

int64_t Wallets::AvailableAt(size_t member, Timestamp at) {
  Wallet& wallet = wallets_[member];
  while (!wallet.pending.empty() && wallet.pending.begin()->first <= at) {
    wallet.available += wallet.pending.begin()->second;
    wallet.pending.erase(wallet.pending.begin());
  }
  return wallet.available;
}

std::vector<PlannedRedemption> ChooseRedemptions(Wallets& wallets, Timestamp at, size_t step,
                                                 size_t partners, size_t limit) {
  std::vector<std::pair<uint64_t, size_t>> able;
  for (size_t member = 0; member < wallets.size(); ++member) {
    if (wallets.AvailableAt(member, at) < kLeastAvailable) continue;
    able.emplace_back(Chance(step, member), member);
  }
  std::sort(able.begin(), able.end());
  std::vector<PlannedRedemption> chosen;
  for (const auto& [chance, member] : able) {
    if (chosen.size() == limit) break;
    std::vector<size_t> elsewhere;
    for (size_t partner = 0; partner < partners; ++partner) {
      if (!wallets.ShopsAt(member, partner)) elsewhere.push_back(partner);
    }
    if (elsewhere.empty()) continue;
    PlannedRedemption redemption;
    redemption.member = member;
    redemption.partner = elsewhere[Mix(chance) % elsewhere.size()];
    redemption.points = std::min(kMostRedeemed, wallets.AvailableAt(member, at) * 2 / 3) /
                        kRedeemedMultiple * kRedeemedMultiple;
    ChooseEnding(Mix(chance + 1), redemption);
    chosen.push_back(redemption);
  }
  return chosen;
}

}  // namespace guilder::cli::demo
