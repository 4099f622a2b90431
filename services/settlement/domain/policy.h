// How a programme pays and is paid.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "libs/ledger/core/calendar.h"

namespace guilder::settlement {

enum class PayoutPolicy {
  kWhenDue,        // Partners are paid whoever else has paid.
  kWhenCollected,  // Out of what was collected for the settlement, and of the reserve.
};

struct Policy {
  int payment_days = 14;
  PayoutPolicy payout = PayoutPolicy::kWhenDue;
  // What the programme advances to partners of its own money, to all settlements together.
  MinorUnits reserve;
  // The clearing job computes a settlement of each window; without, people compute when they want
  // to.
  bool settle_each_window = false;
  int64_t revision = 0;  // 0 before it was ever set.
  std::string changed_by;
};

// REQUEST_MALFORMED, naming the field.
absl::Status CheckPolicy(const Policy& policy);

// The end of the local day so many days after the approval, or of the next one that is no holiday.
Timestamp DueAt(const Policy& policy, Timestamp approved_at, const ledger::Calendar& calendar);

// Which of `amounts` may be paid out of `budget`, by index: the smallest first, the first of
// equals, as long as the next one fits. So a partner that does not pay holds up as few others as
// can be.
std::vector<size_t> ChoosePayouts(const std::vector<MinorUnits>& amounts, MinorUnits budget);

}  // namespace guilder::settlement
