#include "services/accrual/domain/simulation.h"

#include <utility>

namespace guilder::accrual {

Simulation::Simulation(const RuleBook& before, const rules::CompiledRules& after,
                       const ledger::Configuration& configuration)
    : before_(before), configuration_(configuration) {
  // Not owned: it outlives the simulation.
  after_.rules = std::shared_ptr<const rules::CompiledRules>(&after, [](const auto*) {});
  for (size_t i = 0; i < after.rule_set().caps.size(); ++i) {
    after_.cap_serials.push_back(static_cast<int32_t>(i + 1));
  }
}

void Simulation::Add(const Sale& sale) {
  const ledger::Partner* const partner = configuration_.FindPartner(sale.partner);
  if (partner == nullptr) return;
  const auto store = partner->stores.find(sale.recorded.purchase.receipt.store);
  if (store == partner->stores.end()) return;
  const Points before = sale.recorded.outcome.points;
  ++result_.purchases;
  result_.before += before;
  AddBefore(sale, store->second);
  const Points after = AddAfter(sale, store->second);
  result_.after += after;
  if (after > before) ++result_.with_more;
  if (after < before) ++result_.with_less;
}

void Simulation::AddBefore(const Sale& sale, const ledger::Store& store) {
  const DatedRuleSet* const set = before_.Find(sale.recorded.outcome.rule_set);
  if (set == nullptr || sale.recorded.outcome.points == Points(0)) return;
  const Replay replay = ReplayPurchase(sale.recorded, sale.partner, store, *set->rules);
  for (const rules::RuleAward& given : replay.award.rules) {
    const rules::Rule& rule = set->rules->rule_set().rules[given.rule];
    SimulatedRule& simulated = result_.rules[rule.id];
    if (simulated.display_name.empty()) simulated.display_name = rule.display_name;
    simulated.before += given.points;
    simulated.purchases_before += given.points > Points(0) ? 1 : 0;
  }
}

Points Simulation::AddAfter(const Sale& sale, const ledger::Store& store) {
  const Purchase& purchase = sale.recorded.purchase;
  const std::vector<CountedCap> counted = CountedCapsOf(after_, sale.partner, purchase.occurred_at,
                                                        configuration_.calendar().time_zone());
  const rules::RuleSet& set = after_.rules->rule_set();
  rules::Facts facts;
  facts.member = sale.recorded.outcome.member;
  facts.caps_left.assign(counted.empty() ? 0 : set.caps.size(), rules::kUnlimited);
  const auto key_of = [&sale](const CountedCap& cap) {
    return CounterKey(cap.of_member ? sale.account : AccountId(), cap.counter);
  };
  for (const CountedCap& cap : counted) {
    const auto count = counts_.find(key_of(cap));
    facts.caps_left[cap.cap] = cap.points - (count == counts_.end() ? Points(0) : count->second);
  }
  rules::Evaluate(*after_.rules, BasketOf(purchase, sale.partner, store), facts, workspace_,
                  award_);
  for (const CountedCap& cap : counted) {
    if (award_.caps_used[cap.cap] > Points(0)) counts_[key_of(cap)] += award_.caps_used[cap.cap];
  }
  for (const rules::RuleAward& given : award_.rules) {
    const rules::Rule& rule = set.rules[given.rule];
    SimulatedRule& simulated = result_.rules[rule.id];
    simulated.display_name = rule.display_name;
    simulated.after += given.points;
    simulated.purchases_after += given.points > Points(0) ? 1 : 0;
    simulated.trimmed_after += given.raw - given.points;
  }
  return award_.total;
}

}  // namespace guilder::accrual
