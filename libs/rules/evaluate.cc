#include "libs/rules/evaluate.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <string_view>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"

namespace guilder::rules {
namespace {

using Int128 = __int128;

template <typename Value>
bool IsAnyOf(const std::vector<Value>& values, const Value& value) {
  return values.empty() || std::find(values.begin(), values.end(), value) != values.end();
}

// The rules that may match a line of the basket, in the order in which a line takes them.
std::vector<size_t> RulesInOrder(const RuleSet& rule_set, const Basket& basket) {
  const std::vector<Rule>& rules = rule_set.rules;
  std::vector<size_t> order;
  for (size_t i = 0; i < rules.size(); ++i) {
    const Selector& selector = rules[i].selector;
    if (IsAnyOf(selector.partners, basket.partner) && IsAnyOf(selector.stores, basket.store)) {
      order.push_back(i);
    }
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const bool a_excludes = rules[a].IsExclusion();
    if (a_excludes != rules[b].IsExclusion()) return a_excludes;
    if (rules[a].priority != rules[b].priority) return rules[a].priority > rules[b].priority;
    return rules[a].id < rules[b].id;
  });
  return order;
}

LineAward MatchLine(const RuleSet& rule_set, const std::vector<size_t>& order, const Line& line) {
  for (const size_t index : order) {
    const Rule& rule = rule_set.rules[index];
    if (!IsAnyOf(rule.selector.categories, line.category)) continue;
    if (!IsAnyOf(rule.selector.skus, line.sku)) continue;
    const Why why = rule.IsExclusion()             ? Why::kExcluded
                    : line.amount <= MinorUnits{0} ? Why::kZeroAmount
                                                   : Why::kEarned;
    return {Points{0}, index, why};
  }
  return {Points{0}, std::nullopt, Why::kNoRule};
}

// Shares `total` over the lines at `members` in proportion to their amounts, whose sum is `sum`.
void ShareByLargestRemainder(Points total, int64_t sum, const std::vector<size_t>& members,
                             const Basket& basket, Award& award) {
  std::vector<int64_t> remainders(members.size());
  int64_t left = total.value();
  for (size_t i = 0; i < members.size(); ++i) {
    const Int128 product = Int128{total.value()} * basket.lines[members[i]].amount.value();
    const auto share = static_cast<int64_t>(product / sum);
    remainders[i] = static_cast<int64_t>(product % sum);
    award.lines[members[i]].points = Points{share};
    left -= share;
  }
  std::vector<size_t> by_remainder(members.size());
  std::iota(by_remainder.begin(), by_remainder.end(), size_t{0});
  std::stable_sort(by_remainder.begin(), by_remainder.end(),
                   [&](size_t a, size_t b) { return remainders[a] > remainders[b]; });
  for (int64_t i = 0; i < left; ++i) award.lines[members[by_remainder[i]]].points += Points{1};
}

void AwardBaseRate(const BaseRate& rate, const std::vector<size_t>& members, const Basket& basket,
                   Award& award) {
  int64_t sum = 0;
  for (const size_t line : members) sum += basket.lines[line].amount.value();
  const Points total{sum / rate.per_minor_units.value() * rate.points.value()};
  ShareByLargestRemainder(total, sum, members, basket, award);
  award.total += total;
}

}  // namespace

absl::Status Validate(const Basket& basket) {
  if (basket.lines.empty() || basket.lines.size() > kMaxLines) {
    return Refuse(Reason::kRequestMalformed,
                  absl::StrCat("a purchase has 1 to ", kMaxLines, " lines"));
  }
  std::set<std::string_view> ids;
  MinorUnits sum;
  for (const Line& line : basket.lines) {
    if (line.line_id.empty() || !ids.insert(line.line_id).second) {
      return Refuse(Reason::kRequestMalformed,
                    absl::StrCat("line id '", line.line_id, "' is empty or used twice"));
    }
    if (line.quantity < 1) {
      return Refuse(Reason::kAmountOutOfRange,
                    absl::StrCat("line '", line.line_id, "': the quantity is below 1"));
    }
    if (line.amount < MinorUnits{0} || line.amount > kMaxAmount) {
      return Refuse(Reason::kAmountOutOfRange,
                    absl::StrCat("line '", line.line_id, "': the amount is negative or too large"));
    }
    sum += line.amount;
  }
  if (sum > kMaxAmount) {
    return Refuse(Reason::kAmountOutOfRange, "the sum of the lines is too large");
  }
  return absl::OkStatus();
}

Award Evaluate(const RuleSet& rule_set, const Basket& basket) {
  const std::vector<size_t> order = RulesInOrder(rule_set, basket);
  Award award;
  award.lines.reserve(basket.lines.size());
  for (const Line& line : basket.lines) award.lines.push_back(MatchLine(rule_set, order, line));

  for (const size_t index : order) {
    const auto* rate = std::get_if<BaseRate>(&rule_set.rules[index].effect);
    if (rate == nullptr) continue;
    std::vector<size_t> members;
    for (size_t i = 0; i < award.lines.size(); ++i) {
      if (award.lines[i].why == Why::kEarned && award.lines[i].rule == index) members.push_back(i);
    }
    if (!members.empty()) AwardBaseRate(*rate, members, basket, award);
  }
  return award;
}

}  // namespace guilder::rules
