// A purchase's points by who pays for them and where alone they may be spent.
#pragma once

#include <vector>

#include "absl/functional/function_ref.h"

#include "libs/base/types.h"
#include "libs/rules/evaluate.h"

namespace guilder::rules {

// Points of a purchase that one partner pays for, and that may be spent in one way.
struct PointsOfUse {
  SpentOnly spent_only;
  PartnerId payer;
  std::vector<Points> lines;  // Parallel to the basket's lines.

  friend bool operator==(const PointsOfUse&, const PointsOfUse&) = default;
};

// Which partner pays what a rule's funder bears; `funding` is the rule's.
using PayerOf = absl::FunctionRef<PartnerId(const Funder& funder, const Funding& funding)>;

// All points of an award, in the order in which rules gave them, of each rule in the order of its
// funders; what has no points is left out. The lines of all sum to the award's. A funder's share of
// a rule's points (SharesOf) is shared over the rule's lines in proportion to theirs: line by line,
// by largest remainder over what each funder has left to bear.
std::vector<PointsOfUse> SplitByUse(const RuleSet& rule_set, const Award& award, PayerOf payer_of);

// One rule's part of it: calls `add` with each payer's points of each line.
void SplitByFunder(const Rule& rule, const RuleAward& given, const std::vector<LinePart>& parts,
                   PayerOf payer_of,
                   absl::FunctionRef<void(PartnerId payer, size_t line, Points points)> add);

}  // namespace guilder::rules
