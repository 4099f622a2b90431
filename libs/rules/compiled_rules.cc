#include "libs/rules/compiled_rules.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "libs/rules/share.h"

namespace guilder::rules {
namespace {

void Set(Bits& bits, size_t position) {
  bits[position / 64] |= uint64_t{1} << (position % 64);
}

template <typename Value>
void AddToIndex(const std::vector<Value>& values, size_t position, size_t words,
                SlotIndex<Value>& index) {
  if (values.empty()) Set(index.any, position);
  for (const Value& value : values) {
    Bits& bits = index.by_value[value];
    bits.resize(words);
    Set(bits, position);
  }
}

// What a value fits, so that a look-up gives all of it.
template <typename Value>
void AddAny(SlotIndex<Value>& index) {
  for (auto& [value, bits] : index.by_value) {
    for (size_t i = 0; i < bits.size(); ++i) bits[i] |= index.any[i];
  }
}

int Stage(const Rule& rule) {
  return rule.IsExclusion() ? 0 : rule.IsBaseRate() ? 1 : 2;
}

bool IsConditional(const Conditions& conditions) {
  Conditions of_amount;
  of_amount.min_amount = conditions.min_amount;
  return conditions != of_amount;
}

std::vector<size_t> InOrder(const std::vector<Rule>& rules) {
  std::vector<size_t> order(rules.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const int stage_a = Stage(rules[a]);
    const int stage_b = Stage(rules[b]);
    if (stage_a != stage_b) return stage_a < stage_b;
    if (rules[a].priority != rules[b].priority) return rules[a].priority > rules[b].priority;
    return rules[a].id < rules[b].id;
  });
  return order;
}

}  // namespace

CompiledRules::CompiledRules(RuleSet rule_set)
    : rule_set_(std::move(rule_set)), order_(InOrder(rule_set_.rules)) {
  for (const Rule& rule : rule_set_.rules) {
    for (const PartnerId partner : rule.selector.partners) {
      if (!plans_.contains(partner)) plans_.emplace(partner, MakePlan(partner));
    }
  }
  others_ = MakePlan(PartnerId());
}

const Plan& CompiledRules::PlanFor(PartnerId partner) const {
  const auto found = plans_.find(partner);
  return found == plans_.end() ? others_ : found->second;
}

int32_t CompiledRules::FindCap(std::string_view id) const {
  for (size_t i = 0; i < rule_set_.caps.size(); ++i) {
    if (rule_set_.caps[i].id == id) return static_cast<int32_t>(i);
  }
  return -1;
}

Plan CompiledRules::MakePlan(PartnerId partner) const {
  Plan plan;
  absl::flat_hash_map<std::string, int32_t> groups;
  for (const size_t index : order_) {
    const Rule& rule = rule_set_.rules[index];
    const std::vector<PartnerId>& partners = rule.selector.partners;
    const bool is_for = partners.empty() || (partner && std::find(partners.begin(), partners.end(),
                                                                  partner) != partners.end());
    if (!is_for) continue;
    Slot slot;
    slot.rule = index;
    slot.what = &rule;
    slot.basis = BasisIndex(rule.basis);
    if (!rule.group.empty()) {
      slot.group =
          groups.try_emplace(rule.group, static_cast<int32_t>(groups.size())).first->second;
    }
    for (const std::string& cap : rule.caps) slot.caps.push_back(FindCap(cap));
    slot.conditional = IsConditional(rule.conditions);
    plan.slots.push_back(std::move(slot));
  }
  plan.groups = static_cast<int32_t>(groups.size());
  plan.words = (plan.slots.size() + 63) / 64;
  for (Bits* bits : {&plan.exclusions, &plan.base_rates, &plan.others, &plan.conditional,
                     &plan.stores.any, &plan.categories.any, &plan.skus.any}) {
    bits->resize(plan.words);
  }
  for (size_t i = 0; i < plan.slots.size(); ++i) Index(plan.slots[i], i, plan);
  AddAny(plan.stores);
  AddAny(plan.categories);
  AddAny(plan.skus);
  std::sort(plan.caps.begin(), plan.caps.end());
  plan.caps.erase(std::unique(plan.caps.begin(), plan.caps.end()), plan.caps.end());
  return plan;
}

void CompiledRules::Index(const Slot& slot, size_t position, Plan& plan) const {
  const Rule& rule = *slot.what;
  Set(rule.IsExclusion()  ? plan.exclusions
      : rule.IsBaseRate() ? plan.base_rates
                          : plan.others,
      position);
  if (slot.conditional) Set(plan.conditional, position);
  AddToIndex(rule.selector.stores, position, plan.words, plan.stores);
  AddToIndex(rule.selector.categories, position, plan.words, plan.categories);
  AddToIndex(rule.selector.skus, position, plan.words, plan.skus);
  const Conditions& conditions = rule.conditions;
  plan.needs_local_time = plan.needs_local_time || conditions.birthday ||
                          !conditions.windows.empty() || conditions.valid_from ||
                          conditions.valid_until;
  plan.needs_net_amounts = plan.needs_net_amounts || slot.basis != 0;
  plan.needs_first_purchase =
      plan.needs_first_purchase || conditions.first_purchase != FirstPurchase::kAny;
  plan.needs_member = plan.needs_member || !conditions.tiers.empty() ||
                      !conditions.segments.empty() || conditions.birthday.has_value();
  plan.caps.insert(plan.caps.end(), slot.caps.begin(), slot.caps.end());
  plan.restricts = plan.restricts || rule.spent_only;
  const auto add_funder = [&plan](const Funder& funder) {
    const auto& known = plan.funders;
    const bool is_new = std::find(known.begin(), known.end(), funder) == known.end();
    if (funder.kind != FunderKind::kStore && is_new) plan.funders.push_back(funder);
  };
  for (const FunderShare& share : rule.funding.shares) add_funder(share.funder);
  add_funder(rule.funding.remainder);
}

}  // namespace guilder::rules
