// Reads and writes accrual.rule_sets, and finds what rules name. Each function runs in the caller's
// transaction.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/accrual/store/rule_codec.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::accrual {

struct StoredRuleSet {
  int64_t number = 0;
  bool approved = false;
  bool rejected = false;
  Timestamp effective_from;
  // A serialized v1::RuleSet, of which only `rules` is set: ParseRules reads it.
  std::string rules;
  std::string proposed_by;
  std::string approved_by;
};

// Stores a proposed version, without its number, and returns it with one.
StoredRuleSet InsertRuleSet(postgres::Transaction& transaction, const StoredRuleSet& rule_set);

// Error: RULE_SET_NOT_FOUND.
absl::StatusOr<StoredRuleSet> FindRuleSet(postgres::Transaction& transaction, int64_t number);
// The same, locked until the end of the transaction.
absl::StatusOr<StoredRuleSet> LockRuleSet(postgres::Transaction& transaction, int64_t number);

// By number, those after `after`.
std::vector<StoredRuleSet> ListRuleSets(postgres::Transaction& transaction, int64_t after,
                                        int limit);

void MarkRuleSetRejected(postgres::Transaction& transaction, int64_t number);
void MarkRuleSetApproved(postgres::Transaction& transaction, int64_t number,
                         const std::string& approved_by);

// The approved versions in the order in which they take effect: each is in force until the next
// one's date. Of two with the same date the later proposed one comes last, and counts.
std::vector<StoredRuleSet> ApprovedRuleSets(postgres::Transaction& transaction);

// Gives the caps that count over purchases the serials that they count under: those of caps with
// the same id, scope and period in other versions, or new ones.
void AddCaps(postgres::Transaction& transaction, const rules::RuleSet& rule_set);

// Parallel to the set's caps; 0 for those that were never added.
std::vector<int32_t> CapSerials(postgres::Transaction& transaction, const rules::RuleSet& rule_set);

// The partners and stores that the rules name, as far as there are such.
RuleNames ReadRuleNames(postgres::Transaction& transaction, const NamesInRules& names);

}  // namespace guilder::accrual
