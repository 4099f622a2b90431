// A purchase's points by where alone they may be spent.
#pragma once

#include <vector>

#include "libs/base/types.h"
#include "libs/rules/evaluate.h"

namespace guilder::rules {

// Points of a purchase that may be spent in one way.
struct PointsOfUse {
  SpentOnly spent_only;
  std::vector<Points> lines;  // Parallel to the basket's lines.

  friend bool operator==(const PointsOfUse&, const PointsOfUse&) = default;
};

// All points of an award, in the order in which rules gave them; ways without points are left out.
// The lines of all sum to the award's.
std::vector<PointsOfUse> SplitByUse(const RuleSet& rule_set, const Award& award);

}  // namespace guilder::rules
