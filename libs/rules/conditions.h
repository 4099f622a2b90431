// Whether a rule's conditions hold. Shared by evaluation and explanation, so that both say the
// same.
#pragma once

#include <optional>

#include "absl/time/civil_time.h"

#include "libs/rules/evaluate.h"

namespace guilder::rules {

// When and where a basket was bought, as conditions ask.
struct Moment {
  absl::Time at;
  absl::TimeZone zone;
  absl::CivilSecond local;
};
Moment MomentOf(const Basket& basket);

// Whether the member's birthday is so near that moment.
bool IsInBirthdayWindow(const BirthdayWindow& window, const Moment& moment,
                        const MemberFacts& member);

// What of a member has to be kept so that the rules of a partner evaluate the same again: of tier
// and segments what they ask for, and of the birthday only in which of their windows it lies.
MemberFacts KeptFacts(const CompiledRules& rules, const Basket& basket, const MemberFacts& member);

// Why a rule does not apply, whatever the lines.
enum class Unmet {
  kNotYetValid,
  kNoLongerValid,
  kHours,
  kTier,
  kSegment,
  kFirstPurchase,
  kBirthday
};

// The first condition that does not hold, `min_amount` left out; none when all do.
std::optional<Unmet> FirstUnmet(const Conditions& conditions, const Moment& moment,
                                const MemberFacts& member);

}  // namespace guilder::rules
