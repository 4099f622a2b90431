// What partners and the programme promise for purchases, as data.
//
// Pure values: no clock, no I/O. A rule set is versioned and never changes once approved, so that a
// purchase which names its version can be explained and reversed for as long as it is kept.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"

namespace guilder::rules {

inline constexpr size_t kMaxRules = 1'000;
inline constexpr size_t kMaxSelectorValues = 10'000;  // In one list of one selector.
inline constexpr size_t kMaxTextBytes = 200;          // Of an id, a name, a category or a sku.
inline constexpr int32_t kMaxPriority = 1'000'000;

// Which lines a rule is for. An empty list means any; lists are combined by "and".
struct Selector {
  std::vector<PartnerId> partners;
  std::vector<StoreId> stores;
  std::vector<std::string> categories;
  std::vector<std::string> skus;

  friend bool operator==(const Selector&, const Selector&) = default;
};

// `points` for each FULL `per_minor_units` of what the rule's lines of one basket cost together.
//
// At most one point for a minor unit, so that no basket gives more than kMaxPointsPerCommand.
struct BaseRate {
  Points points;
  MinorUnits per_minor_units;

  friend bool operator==(const BaseRate&, const BaseRate&) = default;
};

// The lines earn nothing, whatever else would match them: tobacco, gift cards, deposits on bottles.
struct Exclusion {
  std::string reason;  // For explanations, as in "gift cards". May be empty.

  friend bool operator==(const Exclusion&, const Exclusion&) = default;
};

using Effect = std::variant<BaseRate, Exclusion>;

struct Rule {
  std::string id;            // Unique in its set, and the same over versions: "base".
  std::string display_name;  // What members and partners read: "1 point per euro".
  int32_t priority = 0;      // The higher wins.
  Selector selector;
  Effect effect;

  bool IsExclusion() const { return std::holds_alternative<Exclusion>(effect); }

  friend bool operator==(const Rule&, const Rule&) = default;
};

struct RuleSet {
  int64_t version = 0;
  std::vector<Rule> rules;  // In any order; what applies does not depend on it.

  friend bool operator==(const RuleSet&, const RuleSet&) = default;
};

// Whether Evaluate may be given the rule set: limits kept, ids unique and not empty, rates
// positive.
//
// Errors: REQUEST_MALFORMED, naming the rule; AMOUNT_OUT_OF_RANGE for a rate or a priority.
absl::Status Validate(const RuleSet& rule_set);

}  // namespace guilder::rules
