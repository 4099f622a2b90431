// The approved rule sets, by the dates from which they apply.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "libs/base/types.h"
#include "libs/rules/compiled_rules.h"

namespace guilder::accrual {

struct DatedRuleSet {
  Timestamp effective_from;
  std::shared_ptr<const rules::CompiledRules> rules;
  // Parallel to the set's caps: the serial that each counts under; 0 for those of a receipt.
  std::vector<int32_t> cap_serials{};

  int64_t number() const { return rules->rule_set().version; }
};

// Immutable, hence thread safe. `rule_sets` in the order in which they take effect.
class RuleBook {
 public:
  RuleBook() = default;
  RuleBook(int64_t configuration_version, std::vector<DatedRuleSet> rule_sets)
      : configuration_version_(configuration_version), rule_sets_(std::move(rule_sets)) {}

  // The version of the configuration that it was read with.
  int64_t configuration_version() const { return configuration_version_; }

  // The rules in force at an instant; nullptr before the first.
  const DatedRuleSet* At(Timestamp at) const {
    const auto next =
        std::find_if(rule_sets_.begin(), rule_sets_.end(),
                     [&](const DatedRuleSet& set) { return set.effective_from > at; });
    return next == rule_sets_.begin() ? nullptr : &*std::prev(next);
  }

  const DatedRuleSet* Find(int64_t number) const {
    for (const DatedRuleSet& set : rule_sets_) {
      if (set.number() == number) return &set;
    }
    return nullptr;
  }

 private:
  int64_t configuration_version_ = -1;
  std::vector<DatedRuleSet> rule_sets_;
};

}  // namespace guilder::accrual
