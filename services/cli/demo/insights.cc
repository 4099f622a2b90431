#include "services/cli/demo/insights.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

namespace guilder::cli::demo {
namespace {

struct Custom {
  Timestamp first_at = kNever;
  std::set<std::string> days;
  int64_t spent = 0;
};

PartnerInsights Summarise(const std::map<size_t, Custom>& customers,
                          const std::vector<Timestamp>& first_anywhere) {
  PartnerInsights insights;
  std::vector<int64_t> spent;
  for (const auto& [member, custom] : customers) {
    ++insights.members;
    insights.members_from_others += first_anywhere[member] < custom.first_at;
    insights.members_again += custom.days.size() > 1;
    spent.push_back(custom.spent);
  }
  std::sort(spent.begin(), spent.end(), std::greater<>());
  const size_t fifth = (spent.size() + 4) / 5;
  insights.top_fifth_revenue_minor_units =
      std::accumulate(spent.begin(), spent.begin() + static_cast<ptrdiff_t>(fifth), int64_t{0});
  insights.revenue_minor_units = std::accumulate(spent.begin(), spent.end(), int64_t{0});
  return insights;
}

}  // namespace

std::vector<PartnerInsights> Insights(const TillWork& work, const Outcome& outcome,
                                      size_t partners) {
  std::vector<std::map<size_t, Custom>> customers(partners);
  std::vector<Timestamp> first_anywhere(work.members.size(), kNever);
  std::vector<int64_t> purchases(partners, 0);
  for (size_t i = 0; i < work.receipts.size(); ++i) {
    const Receipt& receipt = work.receipts[i];
    if (!outcome.receipts[i].recorded || !receipt.member) continue;
    ++purchases[receipt.partner];
    Timestamp& first = first_anywhere[*receipt.member];
    first = std::min(first, receipt.occurred_at);
    Custom& custom = customers[receipt.partner][*receipt.member];
    custom.first_at = std::min(custom.first_at, receipt.occurred_at);
    custom.days.insert(receipt.business_date);
    for (const ReceiptLine& line : receipt.lines) custom.spent += line.amount.value();
  }
  std::vector<PartnerInsights> insights;
  for (size_t partner = 0; partner < partners; ++partner) {
    insights.push_back(Summarise(customers[partner], first_anywhere));
    insights.back().purchases = purchases[partner];
  }
  return insights;
}

}  // namespace guilder::cli::demo
