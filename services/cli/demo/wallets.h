// What members can spend for certain, and who shall redeem where.
//
// Pure, and a function of the answers alone: a demonstration that was interrupted and started again
// chooses the same redemptions, whatever the balances are meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "libs/base/types.h"

namespace guilder::cli::demo {

// A lower bound of each member's available points: every point that was taken back counts as if it
// had been available. Not thread safe.
class Wallets {
 public:
  explicit Wallets(size_t members) : wallets_(members) {}

  void Earn(size_t member, int64_t points, Timestamp activates_at);
  void ShopAt(size_t member, size_t partner) { wallets_[member].shops.insert(partner); }
  void TakeBack(size_t member, int64_t points) { wallets_[member].available -= points; }
  void Spend(size_t member, int64_t points) { wallets_[member].available -= points; }
  void Restore(size_t member, int64_t points) { wallets_[member].available += points; }

  int64_t AvailableAt(size_t member, Timestamp at);
  bool ShopsAt(size_t member, size_t partner) const {
    return wallets_[member].shops.count(partner) != 0;
  }
  size_t size() const { return wallets_.size(); }

 private:
  struct Wallet {
    int64_t available = 0;
    std::multimap<Timestamp, int64_t> pending;  // By when they become available.
    std::set<size_t> shops;
  };
  std::vector<Wallet> wallets_;
};

enum class Ending { kFull, kPartial, kVoid };

struct PlannedRedemption {
  size_t member = 0;
  size_t partner = 0;
  int64_t points = 0;
  Ending ending = Ending::kFull;
  int64_t capture_points = 0;  // All of them, but for kPartial.
  int64_t refund_points = 0;   // Given back a week later.
};

// At most `limit` members with points enough, in an order that looks like chance, each at a partner
// where they have not shopped. `step` makes each week's choice another.
std::vector<PlannedRedemption> ChooseRedemptions(Wallets& wallets, Timestamp at, size_t step,
                                                 size_t partners, size_t limit);

}  // namespace guilder::cli::demo
