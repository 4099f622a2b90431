// Why a basket earned what it did: of each rule that fired what it gave, of each other why not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/rules/evaluate.h"

namespace guilder::rules {

// Why a rule gave nothing. In the order in which it is asked.
enum class WhyNot {
  kFired,           // It gave points, or took them from lines as an exclusion.
  kOtherPartner,    // It is for other partners.
  kOtherStore,      // It is for other stores.
  kNotYetValid,     // The purchase was before it begins.
  kNoLongerValid,   // The purchase was after it ended.
  kHours,           // The purchase was at another time of the week.
  kTier,            // The member was of another tier.
  kSegment,         // The member was in none of its segments.
  kFirstPurchase,   // It was not the member's first purchase.
  kBirthday,        // It was not near the member's birthday, or none is known.
  kNoLine,          // The basket has no line that it is for.
  kLinesExcluded,   // All lines that it is for earn nothing.
  kGroupTaken,      // A rule of its group gave points before.
  kStopped,         // A rule before it keeps others from its lines.
  kBelowMinAmount,  // Its lines come to less than it asks for.
  kLinesTaken,      // Other base rates are for its lines.
  kNothingFull,     // What it counts does not come to one full unit.
  kCapReached,      // A cap that bounds it has nothing left.
  kNoBonuses,       // Nothing but base rates gave points then.
};

// "NOT_YET_VALID".
std::string_view WhyNotName(WhyNot why);

// What one payer pays of a rule's points.
struct FundedPart {
  Funder funder;
  Points points;

  friend bool operator==(const FundedPart&, const FundedPart&) = default;
};

// The shares of `points` that the payers of a rule bear: in the order declared, the payer of the
// remainder last. They sum to `points`; payers with nothing are left out.
std::vector<FundedPart> SharesOf(const Funding& funding, Points points);

struct RuleExplanation {
  size_t rule = 0;  // In RuleSet::rules.
  WhyNot why = WhyNot::kFired;
  // The rule that is in the way, for kGroupTaken, kStopped and kLinesTaken.
  std::optional<size_t> by;
  // What it gave, in Award::rules; also for kCapReached. None for an exclusion.
  std::optional<size_t> award;
  std::vector<FundedPart> funded;
  // A sentence that can be read to a member, without its full stop.
  std::string text;
};

struct Explanation {
  std::vector<std::string> lines;      // A sentence for each line of the basket.
  std::vector<RuleExplanation> rules;  // All of the set, in the order of evaluation.
};

// Explains what Evaluate gave for the same arguments. Amounts are written with `exponent` digits
// after the point.
Explanation Explain(const CompiledRules& rules, const Basket& basket, const Facts& facts,
                    const Award& award, const Currency& currency, int exponent);

// The rules' part of it without words.
std::vector<RuleExplanation> ExplainRules(const CompiledRules& rules, const Basket& basket,
                                          const Facts& facts, const Award& award);

}  // namespace guilder::rules
