// What partners learn from a common programme. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "services/cli/demo/outcome.h"
#include "services/cli/demo/purchases.h"

namespace guilder::cli::demo {

struct PartnerInsights {
  int64_t purchases = 0;
  int64_t revenue_minor_units = 0;
  int64_t members = 0;  // Who bought here.
  // Of these: who had bought at another partner before they first came here.
  int64_t members_from_others = 0;
  // Who came on more than one day.
  int64_t members_again = 0;
  // What the fifth of the members who spent most has spent.
  int64_t top_fifth_revenue_minor_units = 0;
};

// By partner, from the receipts that were recorded.
std::vector<PartnerInsights> Insights(const TillWork& work, const Outcome& outcome,
                                      size_t partners);

}  // namespace guilder::cli::demo
