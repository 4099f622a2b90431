#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/rules/evaluate.h"

namespace guilder::rules {
namespace {

std::string PointsText(Points points) {
  return absl::StrCat(points.value(), points == Points{1} ? " point" : " points");
}

// What all lines that took one rule have together.
struct RuleTotal {
  MinorUnits amount;
  Points points;
  int lines = 0;
};

RuleTotal TotalOf(const Basket& basket, const Award& award, size_t rule) {
  RuleTotal total;
  for (size_t i = 0; i < award.lines.size(); ++i) {
    if (award.lines[i].why != Why::kEarned || award.lines[i].rule != rule) continue;
    total.amount += basket.lines[i].amount;
    total.points += award.lines[i].points;
    ++total.lines;
  }
  return total;
}

}  // namespace

std::vector<std::string> Explain(const RuleSet& rule_set, const Basket& basket, const Award& award,
                                 const Currency& currency, int exponent) {
  const auto money = [&](MinorUnits amount) {
    return absl::StrCat(FormatAmount(amount, exponent), " ", FormatCurrency(currency));
  };
  std::vector<std::string> sentences;
  sentences.reserve(award.lines.size());
  for (const LineAward& line : award.lines) {
    if (line.why == Why::kNoRule) {
      sentences.push_back("0 points: no rule is for this line");
      continue;
    }
    const Rule& rule = rule_set.rules[*line.rule];
    const std::string by = absl::StrCat(", rule '", rule.display_name, "'");
    if (line.why == Why::kExcluded) {
      const std::string& reason = std::get<Exclusion>(rule.effect).reason;
      sentences.push_back(
          absl::StrCat("0 points: excluded", reason.empty() ? "" : " as ", reason, by));
      continue;
    }
    if (line.why == Why::kZeroAmount) {
      sentences.push_back(absl::StrCat("0 points: nothing was paid for it", by));
      continue;
    }
    const auto& rate = std::get<BaseRate>(rule.effect);
    const RuleTotal total = TotalOf(basket, award, *line.rule);
    const bool alone = total.lines == 1;
    const std::string share =
        alone ? PointsText(line.points)
              : absl::StrCat(line.points.value(), " of ", PointsText(total.points));
    sentences.push_back(absl::StrCat(share, ": ", PointsText(rate.points), " per full ",
                                     money(rate.per_minor_units), " of ", money(total.amount),
                                     alone ? "" : absl::StrCat(" on ", total.lines, " lines"), by));
  }
  return sentences;
}

}  // namespace guilder::rules
