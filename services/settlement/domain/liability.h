// What the programme owes for points that are out: from window to window, by the version that
// issued them, when it did, and when they expire.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/netting/netting.h"

namespace guilder::settlement {

// What became of points. The numbers are stored in settlement.lot_positions.
enum class LotMove : int16_t {
  kIssued = 1,
  kReversed = 2,
  kRedeemed =
      3,  // Less refunds. A debt that is repaid moves it from the debtor lot to the one that pays.
  kExpired = 4,   // Less what was taken back or reinstated.
  kAdjusted = 5,  // Whatever else: transfers and corrections.
};

// Points that moved in a time, and all before it.
struct LotPoints {
  ContractId contract;
  Timestamp issued_window;  // Start of the window in which they were issued.
  int expiry_month = 0;     // 202612; 0 for never.
  LotMove move = LotMove::kIssued;
  Points before;
  Points moved;
};

// opening + issued − reversed − redeemed − expired + adjusted = closing.
struct LiabilityLine {
  ContractId contract;
  Timestamp issued_window;
  int expiry_month = 0;
  Points opening;
  Points issued;
  Points reversed;
  Points redeemed;
  Points expired;
  Points adjusted;
  Points closing;
  friend bool operator==(const LiabilityLine&, const LiabilityLine&) = default;
};

// By contract, issuing window and expiry month. Lines in which there is nothing are left out.
std::vector<LiabilityLine> RollForward(const std::vector<LotPoints>& points);

// What outstanding points of a version were sold for and are still owed: nothing where they are
// paid for when they are spent. `pending` are those that are not billed yet because
// the version bills at activation. Errors: AMOUNT_OUT_OF_RANGE.
absl::StatusOr<MinorUnits> DeferredMoney(const netting::Terms& terms, Points outstanding,
                                         Points pending, int currency_exponent);

}  // namespace guilder::settlement
