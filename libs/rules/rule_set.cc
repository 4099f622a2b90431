#include "libs/rules/rule_set.h"

#include <set>
#include <string_view>

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

absl::Status ValidateRate(const std::string& rule, const BaseRate& rate) {
  if (rate.points < Points{1} || rate.per_minor_units < MinorUnits{1} ||
      rate.per_minor_units > kMaxAmount) {
    return Refuse(Reason::kAmountOutOfRange,
                  absl::StrCat(rule, ": points and per_minor_units must be at least 1"));
  }
  if (rate.points.value() > rate.per_minor_units.value()) {
    return Refuse(Reason::kAmountOutOfRange,
                  absl::StrCat(rule, ": gives more than one point for a minor unit"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Validate(const RuleSet& rule_set) {
  if (rule_set.rules.size() > kMaxRules) {
    return Malformed(absl::StrCat("a rule set has at most ", kMaxRules, " rules"));
  }
  std::set<std::string_view> ids;
  for (size_t i = 0; i < rule_set.rules.size(); ++i) {
    const Rule& rule = rule_set.rules[i];
    const std::string name = absl::StrCat("rule ", i + 1, " '", rule.id, "'");
    GUILDER_RETURN_IF_ERROR(ValidateText(name, "id", rule.id));
    GUILDER_RETURN_IF_ERROR(ValidateText(name, "display_name", rule.display_name));
    if (!ids.insert(rule.id).second) {
      return Malformed(absl::StrCat(name, ": another rule has this id"));
    }
    if (rule.priority < -kMaxPriority || rule.priority > kMaxPriority) {
      return Refuse(Reason::kAmountOutOfRange,
                    absl::StrCat(name, ": priority is not within ±", kMaxPriority));
    }
    GUILDER_RETURN_IF_ERROR(ValidateSelector(name, rule.selector));
    if (const auto* rate = std::get_if<BaseRate>(&rule.effect)) {
      GUILDER_RETURN_IF_ERROR(ValidateRate(name, *rate));
    }
    if (const auto* exclusion = std::get_if<Exclusion>(&rule.effect)) {
      if (exclusion->reason.size() > kMaxTextBytes) {
        return Malformed(absl::StrCat(name, ": reason is longer than ", kMaxTextBytes, " bytes"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace guilder::rules
