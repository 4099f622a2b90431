// What caps count over purchases: points, by cap, period, and whose they are.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"

#include "libs/base/types.h"
#include "libs/ledger/core/limit.h"
#include "libs/rules/rule_set.h"
#include "services/accrual/domain/rule_book.h"

namespace guilder::accrual {

// Names what one cap counts in one period: of each member by itself, or of all members.
using CounterId = StrongId<struct CounterTag, int64_t>;

// Serials of caps are below 2^21, partners below 2^22. `partner` is none but for caps of a partner.
CounterId MakeCounterId(int32_t cap_serial, PartnerId partner, int32_t period_start);

// The limit over all books that bounds a counter of all members.
inline ledger::LimitId LimitOf(CounterId counter) {
  return ledger::LimitOfCounter(counter.value());
}

// The day on which the period of a cap that `at` is in begins, in days since 1970-01-01; 0 for
// ever.
int32_t PeriodStart(rules::CapPeriod period, Timestamp at, const absl::TimeZone& zone);

// A cap of a rule set as a purchase meets it.
struct CountedCap {
  size_t cap = 0;  // In RuleSet::caps.
  CounterId counter;
  bool of_member = false;  // Else of all members: its counter has a limit.
  Points points;           // The cap.
};

// The caps that may bound a partner's purchase and that count over purchases.
std::vector<CountedCap> CountedCapsOf(const DatedRuleSet& set, PartnerId partner, Timestamp at,
                                      const absl::TimeZone& zone);

}  // namespace guilder::accrual
