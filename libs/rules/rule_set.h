// What partners and the programme promise for purchases, as data.
//
// Pure values: no clock, no I/O. A rule set is versioned and never changes once approved, so that a
// purchase which names its version can be explained and reversed for as long as it is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"

#include "libs/base/types.h"

namespace guilder::rules {

inline constexpr size_t kMaxRules = 1'000;
inline constexpr size_t kMaxCaps = 200;
inline constexpr size_t kMaxCapsOfRule = 8;
inline constexpr size_t kMaxFunders = 8;
// Of a set: who pays for points, each with each way in which they may be spent.
inline constexpr size_t kMaxUses = 64;
inline constexpr size_t kMaxSpentAt = 100;
inline constexpr size_t kMaxWindows = 50;
inline constexpr size_t kMaxSelectorValues = 10'000;  // In one list of one selector.
inline constexpr size_t kMaxTextBytes = 200;          // Of an id, a name, a category or a sku.
inline constexpr int32_t kMaxPriority = 1'000'000;
inline constexpr Points kMaxBonus{1'000'000'000};
inline constexpr int64_t kMaxFactor = 100;
inline constexpr int64_t kMaxDenominator = 10'000;
inline constexpr int32_t kMillion = 1'000'000;
inline constexpr int64_t kMaxDeductionRateMicros = 1'000'000'000;

// Which lines a rule is for. An empty list means any; lists are combined by "and".
struct Selector {
  std::vector<PartnerId> partners;
  std::vector<StoreId> stores;
  std::vector<std::string> categories;
  std::vector<std::string> skus;

  friend bool operator==(const Selector&, const Selector&) = default;
};

// Whether only full units of all lines together count, or of each line by itself.
enum class Rounding { kPerBasket, kPerLine };

// `points` for each FULL `per_minor_units` of what the rule's lines cost.
//
// At most one point for a minor unit, so that no basket gives more than kMaxPointsPerCommand.
struct BaseRate {
  Points points;
  MinorUnits per_minor_units;
  Rounding rounding = Rounding::kPerBasket;

  friend bool operator==(const BaseRate&, const BaseRate&) = default;
};

// The lines earn nothing, whatever else would match them: tobacco, gift cards, deposits on bottles.
struct Exclusion {
  std::string reason;  // For explanations, as in "gift cards". May be empty.

  friend bool operator==(const Exclusion&, const Exclusion&) = default;
};

// What a multiplier multiplies.
enum class Multiplicand {
  kBasePoints,   // What base rates gave: two doublings give three times as much, in any order.
  kPointsSoFar,  // What all rules before it gave.
};

// The lines' points times `numerator` / `denominator`: gives what that adds, rounded down.
struct Multiplier {
  int64_t numerator = 0;
  int64_t denominator = 1;
  Multiplicand of = Multiplicand::kBasePoints;
  Rounding rounding = Rounding::kPerBasket;

  friend bool operator==(const Multiplier&, const Multiplier&) = default;
};

// So many points, once for a purchase that has a line of the rule.
struct FixedBonus {
  Points points;

  friend bool operator==(const FixedBonus&, const FixedBonus&) = default;
};

// `points` for each full `per_quantity` of what was bought of the rule's lines.
struct ProductBonus {
  Points points;
  int64_t per_quantity = 1;
  Rounding rounding = Rounding::kPerBasket;

  friend bool operator==(const ProductBonus&, const ProductBonus&) = default;
};

using Effect = std::variant<BaseRate, Exclusion, Multiplier, FixedBonus, ProductBonus>;

// Hours of some days of the week, in the store's zone. From the first minute to before the last;
// when that is not later, until that time of the next day.
struct TimeWindow {
  uint8_t weekdays = 0x7f;  // Monday is bit 0.
  int from_minute = 0;
  int until_minute = 24 * 60;

  friend bool operator==(const TimeWindow&, const TimeWindow&) = default;
};

// The days around the member's birthday, in the store's zone.
struct BirthdayWindow {
  int days_before = 0;
  int days_after = 0;

  friend bool operator==(const BirthdayWindow&, const BirthdayWindow&) = default;
};

enum class FirstPurchase { kAny, kAtPartner, kInProgramme };

// When a rule applies. What is empty demands nothing; all must hold.
struct Conditions {
  std::vector<std::string> tiers;     // The member has one of them.
  std::vector<std::string> segments;  // The member is in one of them.
  FirstPurchase first_purchase = FirstPurchase::kAny;
  std::optional<BirthdayWindow> birthday;
  // Local times of the store: from the first, inclusive, to the second, exclusive. A time that a
  // change of the clocks repeats is its first pass, one that it skips the instant of the change.
  std::optional<absl::CivilSecond> valid_from;
  std::optional<absl::CivilSecond> valid_until;
  std::vector<TimeWindow> windows;  // One of them.
  MinorUnits min_amount;            // What the rule's lines must come to.

  friend bool operator==(const Conditions&, const Conditions&) = default;
};

// What of a line's amount counts, for rates and for `min_amount`.
struct MoneyBasis {
  bool without_tax = false;
  bool without_paid_with_points = false;

  friend bool operator==(const MoneyBasis&, const MoneyBasis&) = default;
};

// Who pays for a rule's points.
enum class FunderKind {
  kStore,     // The partner that sells.
  kBrand,     // Another partner.
  kOperator,  // The programme's operator-partner.
};

struct Funder {
  FunderKind kind = FunderKind::kStore;
  PartnerId brand;  // Of kBrand only.

  friend bool operator==(const Funder&, const Funder&) = default;
};

struct FunderShare {
  Funder funder;
  int32_t share_ppm = 0;

  friend bool operator==(const FunderShare&, const FunderShare&) = default;
};

// Each share is rounded down; what is left over is the remainder payer's.
struct Funding {
  std::vector<FunderShare> shares;  // At most a million millionths together.
  Funder remainder;

  friend bool operator==(const Funding&, const Funding&) = default;
};

// Where alone points may be spent. As the contract says that prices them when it names nothing.
struct SpentOnly {
  bool on_gifts = false;
  std::vector<PartnerId> at;  // Ascending, each once; not together with gifts.

  explicit operator bool() const { return on_gifts || !at.empty(); }
  friend bool operator==(const SpentOnly&, const SpentOnly&) = default;
};

struct Rule {
  std::string id;            // Unique in its set, and the same over versions: "base".
  std::string display_name;  // What members and partners read: "1 point per euro".
  int32_t priority = 0;      // The higher comes first.
  Selector selector;
  Effect effect;
  Conditions conditions{};
  MoneyBasis basis{};
  // Rules after it leave the lines alone that it gave points to.
  bool stop = false;
  // Of the multipliers and bonuses that name the same group, the first one that gives points does.
  std::string group{};
  std::vector<std::string> caps{};  // Ids of caps of the set: all of them bound it.
  Funding funding{};
  SpentOnly spent_only{};

  bool IsExclusion() const { return std::holds_alternative<Exclusion>(effect); }
  bool IsBaseRate() const { return std::holds_alternative<BaseRate>(effect); }

  friend bool operator==(const Rule&, const Rule&) = default;
};

// Whose points a cap counts. All but kReceipt count over purchases.
enum class CapScope {
  kReceipt,   // Of one purchase.
  kMember,    // Of one member, at all partners.
  kPartner,   // Of all members, at one partner.
  kCampaign,  // Of all members, at all partners: a budget.
};

// Over which time, in the programme's zone, by occurrence. Weeks begin on Monday.
enum class CapPeriod { kEver, kDay, kWeek, kMonth, kYear };

// How many points the rules that name it give at most, together. What would be more is trimmed.
struct Cap {
  std::string id;  // Unique in its set; a later version's cap of this id goes on counting.
  std::string display_name;
  CapScope scope = CapScope::kReceipt;
  CapPeriod period = CapPeriod::kEver;  // kEver for kReceipt.
  Points points;
  bool refilled_by_returns = false;  // Not of kReceipt.

  friend bool operator==(const Cap&, const Cap&) = default;
};

// What becomes of a bonus whose minimum the goods that stay do not reach any more.
enum class BrokenThreshold { kKept, kTakenBack };

// What becomes of points that a return takes back and that were spent.
enum class SpentPoints { kOwed, kDeducted, kWrittenOff };

// What becomes of a purchase that is out of the ordinary.
enum class Intake { kRefused, kParked };

// What becomes of returns, and of purchases that are out of the ordinary.
struct Policies {
  BrokenThreshold broken_threshold = BrokenThreshold::kKept;
  SpentPoints spent_points = SpentPoints::kOwed;
  int64_t deduction_rate_micros = 0;                // Of kDeducted: the price of a point.
  FunderKind write_off_payer = FunderKind::kStore;  // Of kWrittenOff; not a brand.
  Intake unknown_terminal = Intake::kRefused;
  Intake future_date = Intake::kRefused;
  // Of one member at one terminal or cashier within a day; more are parked. 0 for any number.
  int purchases_of_member_at_till = 0;

  friend bool operator==(const Policies&, const Policies&) = default;
};

struct RuleSet {
  int64_t version = 0;
  std::vector<Rule> rules{};  // In any order; what applies does not depend on it.
  std::vector<Cap> caps{};    // In any order.
  Policies policies{};

  friend bool operator==(const RuleSet&, const RuleSet&) = default;
};

// Whether Evaluate may be given the rule set: limits kept, ids unique and not empty, rates
// positive, caps that are named there, groups and caps not of exclusions. A birthday's bonus needs
// a cap of the member by year, so that nobody has two birthdays.
//
// Errors: REQUEST_MALFORMED, naming the rule; AMOUNT_OUT_OF_RANGE for a rate, a bonus, a cap or a
// priority.
absl::Status Validate(const RuleSet& rule_set);

}  // namespace guilder::rules
