// Stored rules: the bytes of accrual.rule_sets.rules as what libs/rules evaluates.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/rules/rule_set.h"

namespace guilder::accrual {

namespace v1 {
class RuleSet;
}

// What rules call partners and stores, by resource name.
struct RuleNames {
  absl::flat_hash_map<std::string, PartnerId> partners;  // "partners/fresh"
  absl::flat_hash_map<std::string, StoreId> stores;      // "partners/fresh/stores/s1"
};

// Every partner and store that the rules name; names of another form are left out.
struct NamesInRules {
  struct StoreName {
    std::string partner_slug;
    std::string code;
  };
  std::vector<std::string> partner_slugs;
  std::vector<StoreName> stores;
};
NamesInRules CollectNames(const v1::RuleSet& rule_set);

// The rules of a message, checked by rules::Validate.
//
// Error: REQUEST_MALFORMED, which rule is wrong and why; also for a name that is not in `names`.
absl::StatusOr<rules::RuleSet> RulesFromProto(int64_t version, const v1::RuleSet& rule_set,
                                              const RuleNames& names);

// The same for stored bytes: for a configuration snapshot, whose partners and stores give `names`.
// Partners and stores are never deleted, so what was approved once parses for ever.
//
// Error: INTERNAL, when the bytes are not what was stored.
absl::StatusOr<rules::RuleSet> ParseRules(int64_t version, std::string_view bytes,
                                          const RuleNames& names);

}  // namespace guilder::accrual
