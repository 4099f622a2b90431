// What came of the tills' work, as the services answered.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "libs/base/types.h"

namespace guilder::cli::demo {

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
  // In which purchases were under way.
  double posting_seconds = 0;
};

}  // namespace guilder::cli::demo
