#include "libs/rules/points_use.h"

#include <algorithm>

namespace guilder::rules {

std::vector<PointsOfUse> SplitByUse(const RuleSet& rule_set, const Award& award) {
  std::vector<PointsOfUse> uses;
  for (const RuleAward& given : award.rules) {
    if (given.points == Points(0)) continue;
    const SpentOnly& spent_only = rule_set.rules[given.rule].spent_only;
    auto use = std::find_if(uses.begin(), uses.end(), [&spent_only](const PointsOfUse& known) {
      return known.spent_only == spent_only;
    });
    if (use == uses.end()) {
      const std::vector<Points> none(award.lines.size(), Points(0));
      use = uses.insert(uses.end(), PointsOfUse{spent_only, none});
    }
    for (size_t i = 0; i < given.parts; ++i) {
      const LinePart& part = award.parts[given.first_part + i];
      use->lines[part.line] += part.points;
    }
  }
  return uses;
}

}  // namespace guilder::rules
