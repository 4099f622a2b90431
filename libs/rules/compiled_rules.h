// A rule set, indexed: what may apply to a basket is found without looking at each rule.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"

#include "libs/base/types.h"
#include "libs/rules/rule_set.h"

namespace guilder::rules {

// A rule of a plan, ready to be evaluated.
struct Slot {
  size_t rule = 0;  // In RuleSet::rules.
  const Rule* what = nullptr;
  // Which of Workspace::amounts it sees.
  size_t basis = 0;
  // Its exclusive group's number; -1 for none.
  int32_t group = -1;
  // In RuleSet::caps.
  std::vector<int32_t> caps;
  // Whether anything but partner, store and lines decides over it. Not `min_amount`.
  bool conditional = false;
};

// Bits of a plan's slots: bit i of word i / 64 is slot i.
using Bits = std::vector<uint64_t>;

// For each value that a list of selectors may name: the slots that it fits.
template <typename Value>
struct SlotIndex {
  Bits any;  // Those whose list is empty.
  absl::flat_hash_map<Value, Bits> by_value;
};

// The rules for the baskets of one partner, in the order in which they are evaluated: exclusions,
// base rates, then multipliers and bonuses; of each, by priority, then by id.
struct Plan {
  std::vector<Slot> slots;
  size_t words = 0;
  Bits exclusions;
  Bits base_rates;
  Bits others;
  Bits conditional;
  SlotIndex<StoreId> stores;
  SlotIndex<std::string> categories;
  SlotIndex<std::string> skus;
  int32_t groups = 0;
  // Whether a rule asks for the local time, or for less than the whole amount.
  bool needs_local_time = false;
  bool needs_net_amounts = false;
  // Caps that its rules name, in RuleSet::caps; ascending.
  std::vector<int32_t> caps;
  // What its rules ask of the member.
  bool needs_first_purchase = false;
  bool needs_member = false;  // Tier, segments or birthday.
  // Whether points of some may be spent only somewhere.
  bool restricts = false;
  // Who pays for points of some besides the partner that sells; each once.
  std::vector<Funder> funders;
};

// Immutable, hence thread safe. Not copied, because its plans point into it.
class CompiledRules {
 public:
  // `rule_set` must have passed Validate.
  explicit CompiledRules(RuleSet rule_set);
  CompiledRules(const CompiledRules&) = delete;
  CompiledRules& operator=(const CompiledRules&) = delete;

  const RuleSet& rule_set() const { return rule_set_; }
  const Plan& PlanFor(PartnerId partner) const;

  // All rules in the order of evaluation, whatever the partner.
  const std::vector<size_t>& order() const { return order_; }

  // The index of a cap; −1 for an id that is not there.
  int32_t FindCap(std::string_view id) const;

 private:
  Plan MakePlan(PartnerId partner) const;
  void Index(const Slot& slot, size_t position, Plan& plan) const;

  const RuleSet rule_set_;
  std::vector<size_t> order_;
  absl::flat_hash_map<PartnerId, Plan> plans_;  // Of partners that a rule names.
  Plan others_;                                 // Of all others.
};

}  // namespace guilder::rules
