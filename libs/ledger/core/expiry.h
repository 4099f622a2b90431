// When points expire: a programme's policy, in its zone, to the end of the day. Pure.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "libs/base/types.h"

namespace guilder::ledger {

// The numbers are stored.
enum class ExpiryKind : int16_t {
  kByContract = 0,  // so many days after they were earned, as the issuer's contract says
  kMonths = 1,      // on the same day of the month, `months` later
  kEndOfMonth = 2,  // with the month that is `months` after theirs
  kEndOfYear = 3,   // with the year in which they are `months` old
  kFixedDate = 4,   // on the next `month`/`day` on which they are `months` old
  kNever = 5,
  // When the member was not active for `months` since they were earned: see Activity.
  kInactivity = 6,
};

// What may count as a member's activity. A policy's set is the sum of these; the numbers are
// stored. What comes from other members, or goes to them, is none, and neither is a return.
enum Activity : int {
  // A purchase that gave points, once they cannot lapse for want of a confirmation.
  kPurchaseActivity = 1,
  // Points that were paid at a partner, by themselves, with a purchase or by a voucher.
  kPaymentActivity = 2,
  // A gift or a voucher that was ordered for points.
  kGiftActivity = 4,
};
inline constexpr int kAllActivities = kPurchaseActivity | kPaymentActivity | kGiftActivity;

// A version of the policy; it is for what was earned from then on.
struct ExpiryPolicy {
  Timestamp effective_from;
  ExpiryKind kind = ExpiryKind::kByContract;
  int months = 0;
  int month = 12;
  int day = 31;
  // Of kInactivity: the sum of the Activities that count.
  int activities = 0;
  // Whatever the rule, points live so many days from the day on which they were posted, at least.
  int minimum_life_days = 0;
  friend bool operator==(const ExpiryPolicy&, const ExpiryPolicy&) = default;
};

inline constexpr int kMostExpiryMonths = 240;
inline constexpr int kMostMinimumLifeDays = 3'650;

// Refuses: kRequestMalformed, naming the field.
absl::Status CheckPolicy(const ExpiryPolicy& policy);

// The first instant at which points that were earned then are gone: the end of a local day. A day
// that a month does not have is its last one. `life_days` is the contract's; 0 for no end.
Timestamp ExpiresAt(const ExpiryPolicy& policy, Timestamp earned_at, int life_days,
                    const absl::TimeZone& zone);

}  // namespace guilder::ledger
