// What came of the tills' work, as the services answered.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "libs/base/types.h"

namespace guilder::cli::demo {

// The part of a run in which purchases are under way.
inline constexpr char kPostingPurchases[] = "purchases";

struct PostedReceipt {
  bool recorded = false;
  std::string purchase;  // "purchases/…"
  int64_t points = 0;
  Timestamp activates_at;
  int64_t captured_points = 0;  // Of the redemption that it carried.
};

// A redemption of which points were captured.
struct CapturedRedemption {
  size_t partner = 0;
  size_t member = 0;
  int64_t points = 0;
  int64_t refunded_points = 0;
  std::string kind;  // "full", "partial", or "purchase" for one that a purchase carried.
};

struct Outcome {
  std::vector<std::string> cards;       // By member.
  std::vector<PostedReceipt> receipts;  // As in TillWork.
  int64_t members = 0;
  int64_t welcome_points = 0;
  int64_t purchases = 0;
  int64_t confirmations = 0;
  int64_t returns = 0;  // That took points back.
  int64_t returns_without_points = 0;
  int64_t parked = 0;
  int64_t voided_redemptions = 0;
  // Reason → how many receipts; NOT_GOODS → how many lines.
  std::map<std::string, int64_t> rejected;
  std::vector<CapturedRedemption> redemptions;
  // How long each part of the run took. What "sealing" took runs beside the others.
  std::map<std::string, double> seconds_of;

  double PurchasesPerSecond() const {
    const auto posting = seconds_of.find(kPostingPurchases);
    if (posting == seconds_of.end() || posting->second <= 0) return 0;
    return static_cast<double>(purchases) / posting->second;
  }
};

}  // namespace guilder::cli::demo
