// A settlement in one page with pictures, for whoever approves it or asks what it came to. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"

#include "libs/base/types.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::settlement {

struct ReportPartner {
  std::string slug;
  std::string name;
  Net net;
  std::string state;  // Of its obligation; empty before the approval, or at a net of zero.
};

// What moved on a local day that starts then.
struct ReportDay {
  Timestamp start;
  Points issued;
  Points redeemed;
};

// Points that members had at the settlement's end, by their age: what they got on days that began
// in the last 30 days, before that up to 90, up to 180, up to 365, and longer ago.
struct ReportIssuer {
  std::string slug;
  static constexpr int kAges = 5;
  Points by_age[kAges];
};

// The place in `by_age` of what was issued on the day that starts then.
int AgeOf(Timestamp issued_day, Timestamp end);

struct Report {
  Settlement settlement;
  int currency_exponent = 2;
  absl::TimeZone time_zone;
  std::string operator_name;
  std::vector<ReportPartner> partners;
  std::vector<ReportDay> days;
  std::vector<ReportIssuer> outstanding;
};

// One HTML file that needs no other and runs nothing. The pictures are SVG with their figures as
// text.
std::string ReportHtml(const Report& report);

}  // namespace guilder::settlement
