#include "libs/rules/points_use.h"

#include <algorithm>

#include "libs/rules/explain.h"
#include "libs/rules/share.h"

namespace guilder::rules {

void SplitByFunder(const Rule& rule, const RuleAward& given, const std::vector<LinePart>& parts,
                   PayerOf payer_of,
                   absl::FunctionRef<void(PartnerId payer, size_t line, Points points)> add) {
  const std::vector<FundedPart> funded = SharesOf(rule.funding, given.points);
  std::vector<PartnerId> payers;
  Workspace workspace;
  std::vector<int64_t>& left = workspace.weights;
  for (const FundedPart& part : funded) {
    payers.push_back(payer_of(part.funder, rule.funding));
    left.push_back(part.points.value());
  }
  for (size_t i = 0; i < given.parts; ++i) {
    const LinePart& part = parts[given.first_part + i];
    if (part.points == Points(0)) continue;
    // What all have left is at least the line's points, so nobody gets more than it has left.
    ShareByLargestRemainder(part.points.value(), workspace);
    for (size_t payer = 0; payer < payers.size(); ++payer) {
      const int64_t points = workspace.shares[payer];
      if (points == 0) continue;
      left[payer] -= points;
      add(payers[payer], part.line, Points(points));
    }
  }
}

std::vector<PointsOfUse> SplitByUse(const RuleSet& rule_set, const Award& award, PayerOf payer_of) {
  std::vector<PointsOfUse> uses;
  for (const RuleAward& given : award.rules) {
    if (given.points == Points(0)) continue;
    const Rule& rule = rule_set.rules[given.rule];
    const auto add = [&](PartnerId payer, size_t line, Points points) {
      auto use = std::find_if(uses.begin(), uses.end(), [&](const PointsOfUse& known) {
        return known.payer == payer && known.spent_only == rule.spent_only;
      });
      if (use == uses.end()) {
        const std::vector<Points> none(award.lines.size(), Points(0));
        use = uses.insert(uses.end(), PointsOfUse{rule.spent_only, payer, none});
      }
      use->lines[line] += points;
    };
    SplitByFunder(rule, given, award.parts, payer_of, add);
  }
  return uses;
}

}  // namespace guilder::rules
