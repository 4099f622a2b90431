// What a rule set would have given for recorded purchases.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/container/flat_hash_map.h"

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "services/accrual/domain/earning.h"
#include "services/accrual/domain/return.h"

namespace guilder::accrual {

// What one rule gave, and would have given.
struct SimulatedRule {
  std::string display_name;
  Points before;
  Points after;
  int64_t purchases_before = 0;
  int64_t purchases_after = 0;
  Points trimmed_after;
};

struct SimulationResult {
  int64_t purchases = 0;
  Points before;
  Points after;
  int64_t with_more = 0;
  int64_t with_less = 0;
  std::map<std::string, SimulatedRule> rules;  // by id
};

// Evaluates purchases, which are to come in the order of their posting: caps count from the first
// one on. All that it is made of outlives it.
class Simulation {
 public:
  Simulation(const RuleBook& before, const rules::CompiledRules& after,
             const ledger::Configuration& configuration);

  void Add(const Sale& sale);
  const SimulationResult& result() const { return result_; }

 private:
  // Of a member, or of all members with no account.
  using CounterKey = std::pair<AccountId, CounterId>;

  void AddBefore(const Sale& sale, const ledger::Store& store);
  Points AddAfter(const Sale& sale, const ledger::Store& store);

  const RuleBook& before_;
  const ledger::Configuration& configuration_;
  // With serials of its own, because it may not be approved.
  DatedRuleSet after_;
  absl::flat_hash_map<CounterKey, Points> counts_;
  SimulationResult result_;
  rules::Workspace workspace_;
  rules::Award award_;
};

}  // namespace guilder::accrual
