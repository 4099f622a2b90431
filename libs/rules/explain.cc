#include "libs/rules/explain.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"

namespace guilder::rules {
namespace {

std::string PointsText(Points points) {
  return absl::StrCat(points.value(), points == Points{1} ? " point" : " points");
}

// "3", "1.5", "4/3".
std::string FactorText(const Multiplier& multiplier) {
  const auto [numerator, denominator, of, rounding] = multiplier;
  if (numerator % denominator == 0) return absl::StrCat(numerator / denominator);
  if (numerator * 10 % denominator != 0) return absl::StrCat(numerator, "/", denominator);
  const int64_t tenths = numerator * 10 / denominator;
  return absl::StrCat(tenths / 10, ".", tenths % 10);
}

std::string DateText(const absl::CivilSecond& at) {
  return absl::StrCat(
      std::string(absl::FormatCivilTime(absl::CivilDay(at))),
      at.hour() == 0 && at.minute() == 0
          ? ""
          : absl::StrCat(" ", at.hour(), at.minute() < 10 ? ":0" : ":", at.minute()));
}

// Words for one evaluation.
class Words {
 public:
  Words(const RuleSet& set, const Award& award, const Currency& currency, int exponent)
      : set_(set), award_(award), currency_(currency), exponent_(exponent) {}

  std::string OfLine(size_t index) const {
    std::vector<std::string> shares;
    std::vector<std::string> reasons;
    for (const RuleAward& rule : award_.rules) {
      const Points part = PartOf(rule, index);
      if (part == Points(0)) continue;
      shares.push_back(part == rule.points
                           ? PointsText(part)
                           : absl::StrCat(part.value(), " of ", PointsText(rule.points)));
      reasons.push_back(absl::StrCat(HowMuch(rule), Trimmed(rule), By(rule.rule)));
    }
    if (shares.empty()) return absl::StrCat("0 points: ", WhyNothing(award_.lines[index]));
    if (shares.size() == 1) return absl::StrCat(shares[0], ": ", reasons[0]);
    std::string text = absl::StrCat(PointsText(award_.lines[index].points), ":");
    for (size_t i = 0; i < shares.size(); ++i) {
      absl::StrAppend(&text, i == 0 ? " " : "; ", shares[i], " (", reasons[i], ")");
    }
    return text;
  }

  std::string OfRule(const RuleExplanation& explained) const {
    const Rule& rule = set_.rules[explained.rule];
    if (explained.why == WhyNot::kFired && !explained.award) return OfExclusion(explained.rule);
    if (explained.award) {
      const RuleAward& given = award_.rules[*explained.award];
      return absl::StrCat(PointsText(given.points), ": ", HowMuch(given), Trimmed(given));
    }
    return absl::StrCat("no points: ", OfWhyNot(rule, explained));
  }

 private:
  std::string Money(int64_t amount) const {
    return absl::StrCat(FormatAmount(MinorUnits(amount), exponent_), " ",
                        FormatCurrency(currency_));
  }

  std::string Named(size_t rule) const {
    return absl::StrCat("'", set_.rules[rule].display_name, "'");
  }
  std::string By(size_t rule) const { return absl::StrCat(", rule ", Named(rule)); }

  Points PartOf(const RuleAward& rule, size_t line) const {
    for (size_t i = 0; i < rule.parts; ++i) {
      const LinePart& part = award_.parts[rule.first_part + i];
      if (part.line == line) return part.points;
    }
    return Points(0);
  }

  std::string WhyNothing(const LineAward& line) const {
    switch (line.why) {
      case Why::kNoRule:
        return "no rule is for this line";
      case Why::kZeroAmount:
        return absl::StrCat("nothing was paid for it", By(*line.rule));
      case Why::kExcluded: {
        const std::string& reason = std::get<Exclusion>(set_.rules[*line.rule].effect).reason;
        return absl::StrCat("excluded", reason.empty() ? "" : " as ", reason, By(*line.rule));
      }
      case Why::kEarned:
        break;
    }
    for (const RuleAward& given : award_.rules) {
      if (given.rule != *line.rule) continue;
      return absl::StrCat("its share is less than one: ", HowMuch(given), Trimmed(given),
                          By(given.rule));
    }
    return absl::StrCat(NothingFull(set_.rules[*line.rule]), By(*line.rule));
  }

  // "1 point per full 10.00 EUR of 23.40 EUR on 2 lines".
  std::string HowMuch(const RuleAward& given) const {
    const Rule& rule = set_.rules[given.rule];
    if (const auto* rate = std::get_if<BaseRate>(&rule.effect)) {
      const size_t lines = BaseLinesOf(given.rule);
      const bool per_line = rate->rounding == Rounding::kPerLine;
      return absl::StrCat(
          PointsText(rate->points), " per full ", Money(rate->per_minor_units.value()), " of ",
          Money(given.input), lines == 1 ? "" : absl::StrCat(" on ", lines, " lines"),
          lines > 1 && per_line ? ", each by itself" : "",
          rule.basis.without_tax ? ", without tax" : "",
          rule.basis.without_paid_with_points ? ", without what was paid with points" : "");
    }
    if (const auto* multiplier = std::get_if<Multiplier>(&rule.effect)) {
      return absl::StrCat(FactorText(*multiplier), " times ", PointsText(Points(given.input)));
    }
    if (std::holds_alternative<FixedBonus>(rule.effect)) return "a bonus for the purchase";
    const auto& bonus = std::get<ProductBonus>(rule.effect);
    return absl::StrCat(PointsText(bonus.points), " per ", bonus.per_quantity, " of ", given.input,
                        " bought");
  }

  size_t BaseLinesOf(size_t rule) const {
    size_t lines = 0;
    for (const LineAward& line : award_.lines) {
      if (line.why == Why::kEarned && line.rule == rule) ++lines;
    }
    return lines;
  }

  // "; of 80, because the cap 'Fuel, a week' has no more left".
  std::string Trimmed(const RuleAward& given) const {
    if (given.trimmed_by == kNoCap) return "";
    if (given.trimmed_by == kPurchaseLimit) return "; trimmed to the most that a purchase gives";
    return absl::StrCat("; it would be ", PointsText(given.raw), ", but the cap '",
                        set_.caps[static_cast<size_t>(given.trimmed_by)].display_name,
                        given.points == Points(0)
                            ? "' is reached"
                            : absl::StrCat("' leaves ", given.points.value()));
  }

  std::string OfExclusion(size_t rule) const {
    size_t lines = 0;
    for (const LineAward& line : award_.lines) {
      if (line.why == Why::kExcluded && line.rule == rule) ++lines;
    }
    const std::string& reason = std::get<Exclusion>(set_.rules[rule].effect).reason;
    return absl::StrCat(lines, lines == 1 ? " line earns nothing" : " lines earn nothing",
                        reason.empty() ? "" : ": ", reason);
  }

  std::string OfWhyNot(const Rule& rule, const RuleExplanation& explained) const {
    const Conditions& conditions = rule.conditions;
    switch (explained.why) {
      case WhyNot::kOtherPartner:
        return "it is for other partners";
      case WhyNot::kOtherStore:
        return "it is for other stores";
      case WhyNot::kNotYetValid:
        return absl::StrCat("it begins on ", DateText(*conditions.valid_from));
      case WhyNot::kNoLongerValid:
        return absl::StrCat("it ended on ", DateText(*conditions.valid_until));
      case WhyNot::kHours:
        return "it is for other hours or days of the week";
      case WhyNot::kTier:
        return absl::StrCat("it is for the tier ", Joined(conditions.tiers));
      case WhyNot::kSegment:
        return absl::StrCat("it is for members in ", Joined(conditions.segments));
      case WhyNot::kFirstPurchase:
        return "it is for the first purchase only";
      case WhyNot::kBirthday:
        return "it is for the days around the birthday";
      case WhyNot::kNoLine:
        return "nothing that was bought is part of it";
      case WhyNot::kLinesExcluded:
        return "what is part of it earns no points";
      case WhyNot::kGroupTaken:
        return absl::StrCat("it is not given together with ", Named(*explained.by));
      case WhyNot::kStopped:
        return absl::StrCat("nothing else is given together with ", Named(*explained.by));
      case WhyNot::kBelowMinAmount:
        return absl::StrCat("it needs a purchase of ", Money(conditions.min_amount.value()));
      case WhyNot::kLinesTaken:
        return absl::StrCat(Named(*explained.by), " is given instead");
      case WhyNot::kNothingFull:
        return NothingFull(rule);
      case WhyNot::kNoBonuses:
        return "the partner gave no bonuses at that time";
      case WhyNot::kFired:
      case WhyNot::kCapReached:
        break;
    }
    return "";
  }

  std::string NothingFull(const Rule& rule) const {
    if (const auto* rate = std::get_if<BaseRate>(&rule.effect)) {
      return absl::StrCat("it is given for each full ", Money(rate->per_minor_units.value()));
    }
    if (const auto* bonus = std::get_if<ProductBonus>(&rule.effect)) {
      return absl::StrCat("it is given for each ", bonus->per_quantity, " bought");
    }
    return "it adds less than a point";
  }

  static std::string Joined(const std::vector<std::string>& values) {
    std::string text;
    for (const std::string& value : values) {
      absl::StrAppend(&text, text.empty() ? "" : " or ", value);
    }
    return text;
  }

  const RuleSet& set_;
  const Award& award_;
  const Currency& currency_;
  const int exponent_;
};

}  // namespace

Explanation Explain(const CompiledRules& rules, const Basket& basket, const Facts& facts,
                    const Award& award, const Currency& currency, int exponent) {
  const Words words(rules.rule_set(), award, currency, exponent);
  Explanation out;
  out.rules = ExplainRules(rules, basket, facts, award);
  for (RuleExplanation& rule : out.rules) rule.text = words.OfRule(rule);
  for (size_t i = 0; i < basket.lines.size(); ++i) out.lines.push_back(words.OfLine(i));
  return out;
}

}  // namespace guilder::rules
