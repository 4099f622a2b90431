#include "libs/rules/rule_set.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"

namespace guilder::rules {
namespace {

absl::Status Malformed(const std::string& what) {
  return Refuse(Reason::kRequestMalformed, what);
}

absl::Status ValidateText(const std::string& rule, const char* field, const std::string& text) {
  if (text.empty()) return Malformed(absl::StrCat(rule, ": ", field, " is empty"));
  if (text.size() > kMaxTextBytes) {
    return Malformed(absl::StrCat(rule, ": ", field, " is longer than ", kMaxTextBytes, " bytes"));
  }
  return absl::OkStatus();
}

template <typename Value>
absl::Status ValidateCount(const std::string& rule, const char* field,
                           const std::vector<Value>& values) {
  if (values.size() <= kMaxSelectorValues) return absl::OkStatus();
  return Malformed(
      absl::StrCat(rule, ": more than ", kMaxSelectorValues, " ", field, " in the selector"));
}

absl::Status ValidateSelector(const std::string& rule, const Selector& selector) {
  GUILDER_RETURN_IF_ERROR(ValidateCount(rule, "partners", selector.partners));
  GUILDER_RETURN_IF_ERROR(ValidateCount(rule, "stores", selector.stores));
  GUILDER_RETURN_IF_ERROR(ValidateCount(rule, "categories", selector.categories));
  GUILDER_RETURN_IF_ERROR(ValidateCount(rule, "skus", selector.skus));
  for (const std::string& category : selector.categories) {
    GUILDER_RETURN_IF_ERROR(ValidateText(rule, "a category", category));
  }
  for (const std::string& sku : selector.skus) {
    GUILDER_RETURN_IF_ERROR(ValidateText(rule, "a sku", sku));
  }
  return absl::OkStatus();
}

absl::Status OutOfRange(const std::string& rule, const char* what) {
  return Refuse(Reason::kAmountOutOfRange, absl::StrCat(rule, ": ", what));
}

absl::Status ValidateEffect(const std::string& rule, const BaseRate& rate) {
  if (rate.points < Points{1} || rate.per_minor_units < MinorUnits{1} ||
      rate.per_minor_units > kMaxAmount) {
    return OutOfRange(rule, "points and per_minor_units must be at least 1");
  }
  if (rate.points.value() > rate.per_minor_units.value()) {
    return OutOfRange(rule, "gives more than one point for a minor unit");
  }
  return absl::OkStatus();
}

absl::Status ValidateEffect(const std::string& rule, const Exclusion& exclusion) {
  if (exclusion.reason.size() <= kMaxTextBytes) return absl::OkStatus();
  return Malformed(absl::StrCat(rule, ": reason is longer than ", kMaxTextBytes, " bytes"));
}

absl::Status ValidateEffect(const std::string& rule, const Multiplier& multiplier) {
  const auto [numerator, denominator, of, rounding] = multiplier;
  if (denominator < 1 || denominator > kMaxDenominator || numerator <= denominator ||
      numerator > kMaxFactor * denominator) {
    return OutOfRange(rule, "a factor is above 1, at most 100, in parts of at most 10,000");
  }
  return absl::OkStatus();
}

absl::Status ValidateBonus(const std::string& rule, Points points) {
  if (points >= Points{1} && points <= kMaxBonus) return absl::OkStatus();
  return OutOfRange(rule, "a bonus is 1 to 1,000,000,000 points");
}

absl::Status ValidateEffect(const std::string& rule, const FixedBonus& bonus) {
  return ValidateBonus(rule, bonus.points);
}

absl::Status ValidateEffect(const std::string& rule, const ProductBonus& bonus) {
  if (bonus.per_quantity < 1 || bonus.per_quantity > 1'000'000'000) {
    return OutOfRange(rule, "per_quantity is 1 to 1,000,000,000");
  }
  return ValidateBonus(rule, bonus.points);
}

absl::Status ValidateWindow(const std::string& rule, const TimeWindow& window) {
  constexpr int kMinutes = 24 * 60;
  if ((window.weekdays & 0x7f) == 0 || window.weekdays > 0x7f) {
    return Malformed(absl::StrCat(rule, ": a time window names no day of the week"));
  }
  if (window.from_minute < 0 || window.from_minute >= kMinutes || window.until_minute < 0 ||
      window.until_minute > kMinutes || window.from_minute == window.until_minute) {
    return Malformed(absl::StrCat(rule, ": a time window's hours"));
  }
  return absl::OkStatus();
}

absl::Status ValidateConditions(const std::string& rule, const Conditions& conditions) {
  GUILDER_RETURN_IF_ERROR(ValidateCount(rule, "tiers", conditions.tiers));
  GUILDER_RETURN_IF_ERROR(ValidateCount(rule, "segments", conditions.segments));
  for (const auto* names : {&conditions.tiers, &conditions.segments}) {
    for (const std::string& name : *names) {
      GUILDER_RETURN_IF_ERROR(ValidateText(rule, "a tier or segment", name));
    }
  }
  if (conditions.birthday) {
    const auto [before, after] = *conditions.birthday;
    if (before < 0 || after < 0 || before > 31 || after > 31) {
      return Malformed(absl::StrCat(rule, ": a birthday window is at most 31 days to each side"));
    }
  }
  for (const auto& bound : {conditions.valid_from, conditions.valid_until}) {
    if (bound && (bound->year() < 1970 || bound->year() > 9999)) {
      return Malformed(absl::StrCat(rule, ": a date is not between 1970 and 9999"));
    }
  }
  if (conditions.valid_from && conditions.valid_until &&
      *conditions.valid_from >= *conditions.valid_until) {
    return Malformed(absl::StrCat(rule, ": is valid until before it is valid from"));
  }
  if (conditions.windows.size() > kMaxWindows) {
    return Malformed(absl::StrCat(rule, ": more than ", kMaxWindows, " time windows"));
  }
  for (const TimeWindow& window : conditions.windows) {
    GUILDER_RETURN_IF_ERROR(ValidateWindow(rule, window));
  }
  if (conditions.min_amount < MinorUnits{0} || conditions.min_amount > kMaxAmount) {
    return OutOfRange(rule, "min_amount");
  }
  return absl::OkStatus();
}

absl::Status ValidateFunding(const std::string& rule, const Funding& funding) {
  if (funding.shares.size() > kMaxFunders) {
    return Malformed(absl::StrCat(rule, ": more than ", kMaxFunders, " funders"));
  }
  int64_t sum = 0;
  const auto valid = [](const Funder& funder) {
    return (funder.kind == FunderKind::kBrand) == static_cast<bool>(funder.brand);
  };
  for (const FunderShare& share : funding.shares) {
    if (!valid(share.funder)) return Malformed(absl::StrCat(rule, ": a funder is no partner"));
    if (share.share_ppm < 1 || share.share_ppm > kMillion) return OutOfRange(rule, "share_ppm");
    sum += share.share_ppm;
  }
  if (sum > kMillion) return OutOfRange(rule, "the funders' shares are more than the whole");
  if (!valid(funding.remainder)) return Malformed(absl::StrCat(rule, ": a funder is no partner"));
  return absl::OkStatus();
}

absl::Status ValidateSpentOnly(const std::string& rule, const Rule& of) {
  const SpentOnly& only = of.spent_only;
  if (only && of.IsExclusion()) {
    return Malformed(absl::StrCat(rule, ": an exclusion gives no points"));
  }
  if (only.on_gifts && !only.at.empty()) {
    return Malformed(absl::StrCat(rule, ": points are spent on gifts, or at partners"));
  }
  if (only.at.size() > kMaxSpentAt) {
    return Malformed(absl::StrCat(rule, ": points are spent at 100 partners at most"));
  }
  const bool ascending =
      std::adjacent_find(only.at.begin(), only.at.end(), std::greater_equal<>()) == only.at.end();
  if (!ascending) return Malformed(absl::StrCat(rule, ": a partner is named twice"));
  return absl::OkStatus();
}

// A purchase gives a lot for each of them. The partner that sells may have to pay for anybody.
absl::Status ValidateUses(const RuleSet& rule_set) {
  std::vector<std::pair<SpentOnly, Funder>> uses;
  for (const Rule& rule : rule_set.rules) {
    std::vector<Funder> funders = {Funder{}, rule.funding.remainder};
    for (const FunderShare& share : rule.funding.shares) funders.push_back(share.funder);
    for (const Funder& funder : funders) {
      const std::pair use(rule.spent_only, funder);
      if (std::find(uses.begin(), uses.end(), use) == uses.end()) uses.push_back(use);
    }
    if (uses.size() > kMaxUses) {
      return Malformed(
          "points of a rule set may be spent in at most 64 ways, each funder's by themselves");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateCaps(const RuleSet& rule_set) {
  if (rule_set.caps.size() > kMaxCaps) {
    return Malformed(absl::StrCat("a rule set has at most ", kMaxCaps, " caps"));
  }
  std::set<std::string_view> ids;
  for (const Cap& cap : rule_set.caps) {
    const std::string name = absl::StrCat("cap '", cap.id, "'");
    GUILDER_RETURN_IF_ERROR(ValidateText(name, "id", cap.id));
    GUILDER_RETURN_IF_ERROR(ValidateText(name, "display_name", cap.display_name));
    if (!ids.insert(cap.id).second) return Malformed(absl::StrCat(name, ": another has this id"));
    if (cap.points < Points{1} || cap.points > kMaxPointsPerCommand) {
      return OutOfRange(name, "a cap is 1 to 1,000,000,000,000 points");
    }
    if (cap.scope == CapScope::kReceipt && cap.period != CapPeriod::kEver) {
      return Malformed(absl::StrCat(name, ": a cap of a receipt has no period"));
    }
    if (cap.scope == CapScope::kReceipt && cap.refilled_by_returns) {
      return Malformed(absl::StrCat(name, ": a cap of a receipt is not refilled"));
    }
  }
  return absl::OkStatus();
}

absl::Status ValidatePolicies(const Policies& policies) {
  const bool deducts = policies.spent_points == SpentPoints::kDeducted;
  const int64_t rate = policies.deduction_rate_micros;
  if (deducts ? rate < 1 || rate > kMaxDeductionRateMicros : rate != 0) {
    return OutOfRange("policies", "a deduction, and it alone, has a rate, up to 1,000.00 a point");
  }
  if (policies.write_off_payer == FunderKind::kBrand) {
    return Malformed("policies: the store or the operator pays for what is written off");
  }
  return absl::OkStatus();
}

const Cap* FindCap(const RuleSet& rule_set, const std::string& id) {
  for (const Cap& cap : rule_set.caps) {
    if (cap.id == id) return &cap;
  }
  return nullptr;
}

absl::Status ValidateCapsOf(const std::string& name, const Rule& rule, const RuleSet& rule_set) {
  if (rule.IsExclusion() && !rule.caps.empty()) {
    return Malformed(absl::StrCat(name, ": an exclusion has no caps"));
  }
  if (rule.caps.size() > kMaxCapsOfRule) {
    return Malformed(absl::StrCat(name, ": more than ", kMaxCapsOfRule, " caps"));
  }
  std::set<std::string_view> ids;
  bool once_a_year = false;
  for (const std::string& id : rule.caps) {
    const Cap* const cap = FindCap(rule_set, id);
    if (cap == nullptr) return Malformed(absl::StrCat(name, ": there is no cap '", id, "'"));
    if (!ids.insert(id).second)
      return Malformed(absl::StrCat(name, ": names cap '", id, "' twice"));
    once_a_year =
        once_a_year || (cap->scope == CapScope::kMember &&
                        (cap->period == CapPeriod::kYear || cap->period == CapPeriod::kEver));
  }
  if (std::holds_alternative<FixedBonus>(rule.effect) && rule.conditions.birthday && !once_a_year) {
    return Malformed(absl::StrCat(name, ": a birthday's bonus needs a cap of the member by year"));
  }
  return absl::OkStatus();
}

absl::Status ValidateRule(const std::string& name, const Rule& rule, const RuleSet& rule_set) {
  GUILDER_RETURN_IF_ERROR(ValidateText(name, "id", rule.id));
  GUILDER_RETURN_IF_ERROR(ValidateText(name, "display_name", rule.display_name));
  if (rule.priority < -kMaxPriority || rule.priority > kMaxPriority) {
    return Refuse(Reason::kAmountOutOfRange,
                  absl::StrCat(name, ": priority is not within ±", kMaxPriority));
  }
  GUILDER_RETURN_IF_ERROR(ValidateSelector(name, rule.selector));
  GUILDER_RETURN_IF_ERROR(
      std::visit([&](const auto& effect) { return ValidateEffect(name, effect); }, rule.effect));
  GUILDER_RETURN_IF_ERROR(ValidateConditions(name, rule.conditions));
  GUILDER_RETURN_IF_ERROR(ValidateFunding(name, rule.funding));
  GUILDER_RETURN_IF_ERROR(ValidateSpentOnly(name, rule));
  if (rule.group.size() > kMaxTextBytes)
    return Malformed(absl::StrCat(name, ": group is too long"));
  if (!rule.group.empty() && (rule.IsExclusion() || rule.IsBaseRate())) {
    return Malformed(absl::StrCat(name, ": only multipliers and bonuses have a group"));
  }
  return ValidateCapsOf(name, rule, rule_set);
}

}  // namespace

absl::Status Validate(const RuleSet& rule_set) {
  if (rule_set.rules.size() > kMaxRules) {
    return Malformed(absl::StrCat("a rule set has at most ", kMaxRules, " rules"));
  }
  GUILDER_RETURN_IF_ERROR(ValidateCaps(rule_set));
  GUILDER_RETURN_IF_ERROR(ValidatePolicies(rule_set.policies));
  std::set<std::string_view> ids;
  for (size_t i = 0; i < rule_set.rules.size(); ++i) {
    const Rule& rule = rule_set.rules[i];
    const std::string name = absl::StrCat("rule ", i + 1, " '", rule.id, "'");
    GUILDER_RETURN_IF_ERROR(ValidateRule(name, rule, rule_set));
    if (!ids.insert(rule.id).second) {
      return Malformed(absl::StrCat(name, ": another rule has this id"));
    }
  }
  return ValidateUses(rule_set);
}

}  // namespace guilder::rules
