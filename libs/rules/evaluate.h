// What a basket earns under a rule set: pure, deterministic, whole numbers only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "libs/rules/rule_set.h"

namespace guilder::rules {

inline constexpr size_t kMaxLines = 500;

struct Line {
  std::string line_id;  // Unique in its basket. Two lines may well have the same sku.
  std::string sku;
  std::string category;
  int64_t quantity = 1;
  MinorUnits amount;  // Of the whole line, in the programme's currency: not of one piece.
};

struct Basket {
  PartnerId partner;
  StoreId store;
  Timestamp occurred_at;
  std::vector<Line> lines;
};

enum class Why {
  kEarned,      // A base rate applies; after flooring its share may still be zero points.
  kExcluded,    // An exclusion matches.
  kNoRule,      // Nothing matches.
  kZeroAmount,  // A base rate matches, but nothing was paid for the line.
};

struct LineAward {
  Points points;
  std::optional<size_t> rule;  // Index into RuleSet::rules; none for kNoRule.
  Why why = Why::kNoRule;

  friend bool operator==(const LineAward&, const LineAward&) = default;
};

struct Award {
  Points total;                  // Exactly the sum of the lines' points.
  std::vector<LineAward> lines;  // One for each line of the basket, in its order.

  friend bool operator==(const Award&, const Award&) = default;
};

// Whether Evaluate may be given the basket.
//
// Errors: REQUEST_MALFORMED for no or too many lines, or an empty or repeated line id;
// AMOUNT_OUT_OF_RANGE for a quantity below 1, a negative amount, or a sum above kMaxAmount.
absl::Status Validate(const Basket& basket);

// Awards points to the lines of `basket`.
//
// A line takes a matching exclusion first, else the matching base rate of the highest priority;
// ties go to the smaller id. Lines of one base rate are summed, and give
//
//     floor(Σ amount / per_minor_units) × points
//
// which is then shared over those lines in proportion to their amounts: floors first, then one
// point each to the largest fractions, ties to the first line. So flooring is per basket and rule,
// and each line has points of its own that a return can take back.
//
// Both arguments must have passed Validate; then no intermediate exceeds 128 bits and the total
// does not exceed kMaxPointsPerCommand.
Award Evaluate(const RuleSet& rule_set, const Basket& basket);

// A sentence for each line, saying why it earned what it did:
//
//     2 points: 1 point per full 10.00 EUR of 23.40 EUR, rule 'Base rate'
//
// `award` must be what Evaluate gave for the same arguments. Amounts are written with `exponent`
// digits after the point.
std::vector<std::string> Explain(const RuleSet& rule_set, const Basket& basket, const Award& award,
                                 const Currency& currency, int exponent);

}  // namespace guilder::rules
