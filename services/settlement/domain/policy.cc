#include "services/settlement/domain/policy.h"

#include <algorithm>
#include <numeric>

#include "absl/time/civil_time.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"

namespace guilder::settlement {

absl::Status CheckPolicy(const Policy& policy) {
  if (policy.payment_days < 0 || policy.payment_days > 365) {
    return Refuse(Reason::kRequestMalformed, "payment_days is 0 to 365",
                  {{"field", "payment_days"}});
  }
  if (policy.reserve < MinorUnits() || policy.reserve > kMaxAmount) {
    return Refuse(Reason::kRequestMalformed, "the reserve is negative or too large",
                  {{"field", "reserve_minor_units"}});
  }
  return absl::OkStatus();
}

Timestamp DueAt(const Policy& policy, Timestamp approved_at, const ledger::Calendar& calendar) {
  const absl::CivilDay day = absl::ToCivilDay(ToAbslTime(approved_at), calendar.time_zone());
  return calendar.Midnight(calendar.BusinessDay(day + policy.payment_days) + 1);
}

std::vector<size_t> ChoosePayouts(const std::vector<MinorUnits>& amounts, MinorUnits budget) {
  std::vector<size_t> order(amounts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return amounts[a] < amounts[b]; });
  std::vector<size_t> chosen;
  for (const size_t i : order) {
    if (amounts[i] > budget) break;
    budget -= amounts[i];
    chosen.push_back(i);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace guilder::settlement
