// What a basket earns under a rule set: pure, deterministic, whole numbers only.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "libs/rules/compiled_rules.h"
#include "libs/rules/rule_set.h"

namespace guilder::rules {

inline constexpr size_t kMaxLines = 500;
inline constexpr int64_t kMaxQuantity = 1'000'000'000;
// What is left of a cap that bounds nothing yet.
inline constexpr Points kUnlimited{std::numeric_limits<int64_t>::max()};

// Points to texts that outlive it.
struct Line {
  std::string_view sku;
  std::string_view category;
  int64_t quantity = 1;
  MinorUnits amount;  // Of the whole line, in the programme's currency: not of one piece.
  MinorUnits tax{};   // Of that, tax.
};

struct Basket {
  PartnerId partner;
  StoreId store;
  Timestamp occurred_at;
  std::vector<Line> lines;
  absl::TimeZone time_zone = absl::UTCTimeZone();  // The store's.
  MinorUnits paid_with_points{};                   // Of the sum of the lines.
};

struct MonthDay {
  int month = 0;
  int day = 0;

  friend bool operator==(const MonthDay&, const MonthDay&) = default;
};

// The member, at the time of the purchase.
struct MemberFacts {
  std::string tier{};
  std::vector<std::string> segments{};
  std::optional<MonthDay> birthday{};
  // Windows that the birthday is known to lie in, where it is not known itself: what is kept of it.
  std::vector<BirthdayWindow> birthday_windows{};
  bool first_at_partner = false;
  bool first_in_programme = false;

  friend bool operator==(const MemberFacts&, const MemberFacts&) = default;
};

struct Facts {
  MemberFacts member;
  // Parallel to the set's caps: what is left of each before this purchase; kUnlimited where the
  // list is shorter. Of a cap of a receipt nothing is read.
  std::vector<Points> caps_left;
  // Nothing but base rates gives points.
  bool base_rates_only = false;
};

enum class Why {
  kEarned,      // A base rate applies; after flooring its share may still be zero points.
  kExcluded,    // An exclusion matches.
  kNoRule,      // No base rate matches.
  kZeroAmount,  // A base rate matches, but nothing that counts was paid for the line.
};

struct LineAward {
  Points points;               // Of all rules.
  std::optional<size_t> rule;  // The base rate or exclusion, in RuleSet::rules; none for kNoRule.
  Why why = Why::kNoRule;

  friend bool operator==(const LineAward&, const LineAward&) = default;
};

// What trimmed a rule besides its caps: a purchase gives at most kMaxPointsPerCommand.
inline constexpr int32_t kNoCap = -1;
inline constexpr int32_t kPurchaseLimit = -2;

// What one rule gave.
struct RuleAward {
  size_t rule = 0;  // In RuleSet::rules.
  // What it was computed over: minor units of a base rate or fixed bonus, points of a multiplier,
  // pieces of a product bonus.
  int64_t input = 0;
  Points raw;     // Before caps.
  Points points;  // After them.
  // The cap that trimmed it, the tightest one; kNoCap, or kPurchaseLimit.
  int32_t trimmed_by = kNoCap;
  // Its lines, Award::parts from `first_part` on.
  size_t first_part = 0;
  size_t parts = 0;

  friend bool operator==(const RuleAward&, const RuleAward&) = default;
};

struct LinePart {
  size_t line = 0;
  Points points;

  friend bool operator==(const LinePart&, const LinePart&) = default;
};

struct Award {
  Points total;                  // Exactly the sum of the lines' points.
  std::vector<LineAward> lines;  // One for each line of the basket, in its order.
  std::vector<RuleAward> rules;  // Those that gave points before caps, in the order of evaluation.
  std::vector<LinePart> parts;
  std::vector<Points> caps_used;  // Parallel to the set's caps.

  friend bool operator==(const Award&, const Award&) = default;
};

// Whether Evaluate may be given the basket.
//
// Errors: REQUEST_MALFORMED for no or too many lines; AMOUNT_OUT_OF_RANGE for a quantity below 1 or
// too large, a negative amount, more tax than the amount, a sum above kMaxAmount, or more paid with
// points than the sum.
absl::Status Validate(const Basket& basket);

// Memory that evaluations share, so that they need not allocate. One user at a time.
struct Workspace {
  std::vector<uint64_t> applicable;
  std::vector<uint64_t> line_bits;
  std::vector<uint64_t> any_line;
  std::vector<int32_t> base_slots;  // Parallel to the lines; -1 for none.
  std::vector<char> stopped;
  std::vector<int64_t> base_points;
  std::vector<int64_t> points;
  // Amounts that count, by MoneyBasis: without tax 1, without what was paid with points 2.
  std::vector<int64_t> amounts[4];
  std::vector<size_t> members;
  std::vector<int64_t> weights;
  std::vector<int64_t> shares;
  std::vector<int64_t> keys;
  std::vector<int64_t> sorted_keys;
  std::vector<Points> caps_left;
  std::vector<char> groups_taken;
};

// Awards points to the lines of `basket`; the README says how. `basket` must have passed Validate.
//
// The total does not exceed kMaxPointsPerCommand, and no intermediate exceeds 128 bits.
void Evaluate(const CompiledRules& rules, const Basket& basket, const Facts& facts,
              Workspace& workspace, Award& award);

// The same for one basket under a set that passed Validate.
Award Evaluate(const RuleSet& rule_set, const Basket& basket, const Facts& facts = {});

}  // namespace guilder::rules
