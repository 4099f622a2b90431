// Redemptions that somebody looks at.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/types.h"
#include "services/redemption/domain/redemption.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::redemption {

struct ReviewRow {
  RedemptionId redemption;
  AccountId account;
  PartnerId partner;
  std::string partner_slug;
  std::string store_code;
  Points points;
  ReviewReason reason{};
  Timestamp created_at;
  Timestamp expires_at;
  bool captures = false;
};

// Where a page of the list ends: nothing is created before what was read, so pages stay as they
// are.
struct ReviewPosition {
  Timestamp created_at;
  RedemptionId redemption;
};

// Those that nobody decided and that still hold points, oldest first.
std::vector<ReviewRow> ListOpenReviews(postgres::Transaction& tx,
                                       const std::optional<ReviewPosition>& after, int limit);
// Decided ones, too; nothing for a redemption that was never reviewed.
std::optional<ReviewRow> FindReview(postgres::Transaction& tx, const RedemptionId& redemption);

struct DecidedReview {
  RedemptionId redemption;
  Timestamp decided_at;
  std::string decided_by;
  std::string note;
};
void CloseReviews(postgres::Transaction& tx, const std::vector<DecidedReview>& decided);

}  // namespace guilder::redemption
