#include <algorithm>

#include "libs/rules/conditions.h"
#include "libs/rules/explain.h"
#include "libs/rules/share.h"

namespace guilder::rules {
namespace {

template <typename Value, typename Key>
bool Fits(const std::vector<Value>& values, const Key& key) {
  return values.empty() || std::find(values.begin(), values.end(), key) != values.end();
}

WhyNot From(Unmet unmet) {
  switch (unmet) {
    case Unmet::kNotYetValid:
      return WhyNot::kNotYetValid;
    case Unmet::kNoLongerValid:
      return WhyNot::kNoLongerValid;
    case Unmet::kHours:
      return WhyNot::kHours;
    case Unmet::kTier:
      return WhyNot::kTier;
    case Unmet::kSegment:
      return WhyNot::kSegment;
    case Unmet::kFirstPurchase:
      return WhyNot::kFirstPurchase;
    case Unmet::kBirthday:
      return WhyNot::kBirthday;
  }
  return WhyNot::kNoLine;
}

// Asks of each rule, in the order of evaluation, what kept it from giving points.
class Asking {
 public:
  Asking(const CompiledRules& rules, const Basket& basket, const Facts& facts, const Award& award)
      : rules_(rules),
        set_(rules.rule_set()),
        basket_(basket),
        facts_(facts),
        award_(award),
        moment_(MomentOf(basket)),
        stopped_by_(basket.lines.size()) {}

  std::vector<RuleExplanation> Run() {
    std::vector<RuleExplanation> out;
    out.reserve(rules_.order().size());
    for (const size_t index : rules_.order()) {
      RuleExplanation explained;
      explained.rule = index;
      Ask(set_.rules[index], explained);
      out.push_back(std::move(explained));
    }
    return out;
  }

 private:
  void Ask(const Rule& rule, RuleExplanation& out) {
    for (size_t i = 0; i < award_.rules.size(); ++i) {
      if (award_.rules[i].rule == out.rule) out.award = i;
    }
    if (out.award) return Fired(rule, award_.rules[*out.award], out);
    if (!Fits(rule.selector.partners, basket_.partner)) return Say(WhyNot::kOtherPartner, out);
    if (!Fits(rule.selector.stores, basket_.store)) return Say(WhyNot::kOtherStore, out);
    if (const auto unmet = FirstUnmet(rule.conditions, moment_, facts_.member)) {
      return Say(From(*unmet), out);
    }
    const std::vector<size_t> matched = Matched(rule);
    if (matched.empty()) return Say(WhyNot::kNoLine, out);
    if (rule.IsExclusion()) return AskExclusion(matched, out);
    std::vector<size_t> open;
    for (const size_t line : matched) {
      if (award_.lines[line].why != Why::kExcluded) open.push_back(line);
    }
    if (open.empty()) return Say(WhyNot::kLinesExcluded, out);
    if (rule.IsBaseRate()) return AskBaseRate(rule, open, out);
    if (facts_.base_rates_only) return Say(WhyNot::kNoBonuses, out);
    AskOther(rule, open, out);
  }

  void Say(WhyNot why, RuleExplanation& out) { out.why = why; }
  void Say(WhyNot why, size_t by, RuleExplanation& out) {
    out.why = why;
    out.by = by;
  }

  void Fired(const Rule& rule, const RuleAward& given, RuleExplanation& out) {
    out.why = given.points > Points(0) ? WhyNot::kFired : WhyNot::kCapReached;
    out.funded = SharesOf(rule.funding, given.points);
    if (given.points == Points(0)) return;
    if (!rule.group.empty() && !rule.IsBaseRate()) groups_.emplace_back(rule.group, out.rule);
    if (!rule.stop) return;
    for (const size_t line : Matched(rule)) {
      const LineAward& at = award_.lines[line];
      if (at.why == Why::kExcluded || stopped_by_[line]) continue;
      const bool its_own = !rule.IsBaseRate() || (at.rule == out.rule && at.why == Why::kEarned);
      if (its_own) stopped_by_[line] = out.rule;
    }
  }

  std::vector<size_t> Matched(const Rule& rule) const {
    std::vector<size_t> matched;
    for (size_t i = 0; i < basket_.lines.size(); ++i) {
      const Line& line = basket_.lines[i];
      const bool fits =
          Fits(rule.selector.categories, line.category) && Fits(rule.selector.skus, line.sku);
      if (fits) matched.push_back(i);
    }
    return matched;
  }

  // Of two exclusions of a line, one takes it; the other changes nothing.
  void AskExclusion(const std::vector<size_t>& matched, RuleExplanation& out) {
    for (const size_t line : matched) {
      if (award_.lines[line].rule == out.rule) return;
    }
    Say(WhyNot::kLinesExcluded, *award_.lines[matched.front()].rule, out);
  }

  void AskBaseRate(const Rule& rule, const std::vector<size_t>& open, RuleExplanation& out) {
    if (BelowMinAmount(rule, open)) return Say(WhyNot::kBelowMinAmount, out);
    for (const size_t line : open) {
      if (award_.lines[line].rule == out.rule) return Say(WhyNot::kNothingFull, out);
    }
    Say(WhyNot::kLinesTaken, *award_.lines[open.front()].rule, out);
  }

  void AskOther(const Rule& rule, std::vector<size_t> open, RuleExplanation& out) {
    for (const auto& [group, winner] : groups_) {
      if (group == rule.group) return Say(WhyNot::kGroupTaken, winner, out);
    }
    const size_t first = open.front();
    std::erase_if(open, [this](size_t line) { return stopped_by_[line].has_value(); });
    if (open.empty()) return Say(WhyNot::kStopped, *stopped_by_[first], out);
    Say(BelowMinAmount(rule, open) ? WhyNot::kBelowMinAmount : WhyNot::kNothingFull, out);
  }

  bool BelowMinAmount(const Rule& rule, const std::vector<size_t>& lines) {
    if (rule.conditions.min_amount <= MinorUnits(0)) return false;
    if (workspace_.weights.empty()) CountAmounts(basket_, /*net=*/true, workspace_);
    int64_t sum = 0;
    for (const size_t line : lines) sum += workspace_.amounts[BasisIndex(rule.basis)][line];
    return sum < rule.conditions.min_amount.value();
  }

  const CompiledRules& rules_;
  const RuleSet& set_;
  const Basket& basket_;
  const Facts& facts_;
  const Award& award_;
  const Moment moment_;
  // The exclusive groups that were taken, and by which rule.
  std::vector<std::pair<std::string, size_t>> groups_;
  // Of each line, the rule that keeps later ones from it.
  std::vector<std::optional<size_t>> stopped_by_;
  Workspace workspace_;
};

}  // namespace

std::vector<RuleExplanation> ExplainRules(const CompiledRules& rules, const Basket& basket,
                                          const Facts& facts, const Award& award) {
  return Asking(rules, basket, facts, award).Run();
}

std::vector<FundedPart> SharesOf(const Funding& funding, Points points) {
  std::vector<FundedPart> parts;
  Points left = points;
  const auto add = [&parts](const Funder& funder, Points share) {
    if (share == Points(0)) return;
    for (FundedPart& part : parts) {
      if (part.funder == funder) {
        part.points += share;
        return;
      }
    }
    parts.push_back({funder, share});
  };
  for (const FunderShare& share : funding.shares) {
    const Points part(MultiplyDivide(points.value(), share.share_ppm, kMillion));
    add(share.funder, part);
    left -= part;
  }
  add(funding.remainder, left);
  return parts;
}

std::string_view WhyNotName(WhyNot why) {
  constexpr std::string_view kNames[] = {
      "FIRED",       "OTHER_PARTNER",  "OTHER_STORE", "NOT_YET_VALID",  "NO_LONGER_VALID",
      "HOURS",       "TIER",           "SEGMENT",     "FIRST_PURCHASE", "BIRTHDAY",
      "NO_LINE",     "LINES_EXCLUDED", "GROUP_TAKEN", "STOPPED",        "BELOW_MIN_AMOUNT",
      "LINES_TAKEN", "NOTHING_FULL",   "CAP_REACHED", "NO_BONUSES"};
  return kNames[static_cast<size_t>(why)];
}

}  // namespace guilder::rules
