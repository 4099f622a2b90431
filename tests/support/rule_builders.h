// Rules, baskets and random sets of both, for tests of what purchases earn.
#pragma once

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "libs/rules/evaluate.h"
#include "libs/rules/explain.h"
#include "libs/rules/rule_set.h"

namespace guilder::rules {

inline Rule ARule(const std::string& id, Effect effect, int32_t priority = 0) {
  Rule rule{id, "Rule " + id, priority, {}, std::move(effect)};
  return rule;
}

inline Rule ABaseRate(int64_t points, int64_t per_minor_units) {
  return ARule("base", BaseRate{Points{points}, MinorUnits{per_minor_units}});
}

// A basket of partner 7, store 70 in Berlin, with a line of "food" for each amount.
inline Basket ABasketOf(const std::vector<int64_t>& amounts) {
  Basket basket{PartnerId{7}, StoreId{70}, Timestamp{0}, {}};
  absl::LoadTimeZone("Europe/Berlin", &basket.time_zone);
  for (const int64_t amount : amounts) {
    basket.lines.push_back({"sku", "food", 1, MinorUnits{amount}});
  }
  return basket;
}

inline Timestamp BerlinTime(const absl::CivilSecond& local) {
  absl::TimeZone zone;
  absl::LoadTimeZone("Europe/Berlin", &zone);
  return Timestamp(absl::ToUnixMicros(absl::FromCivil(local, zone)));
}

// Sets, baskets and members that meet: few partners, stores, categories and skus.
class RandomRules {
 public:
  explicit RandomRules(unsigned seed) : random_(seed) {}

  int64_t Between(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }
  bool OneIn(int n) { return Between(1, n) == 1; }
  std::mt19937_64& engine() { return random_; }

  // Passes Validate.
  RuleSet ASet(size_t rules) {
    RuleSet set;
    set.version = 1;
    const auto caps = static_cast<size_t>(Between(0, 4));
    for (size_t i = 0; i < caps; ++i) {
      const auto scope = static_cast<CapScope>(Between(0, 3));
      const CapPeriod period =
          scope == CapScope::kReceipt ? CapPeriod::kEver : static_cast<CapPeriod>(Between(0, 4));
      set.caps.push_back({"cap-" + std::to_string(i), "Cap " + std::to_string(i), scope, period,
                          Points{Between(1, OneIn(4) ? 10 : 5'000)}});
    }
    for (size_t i = 0; i < rules; ++i) set.rules.push_back(ARandomRule(i, set));
    return set;
  }

  Basket ABasket() {
    Basket basket = ABasketOf({});
    basket.partner = PartnerId{static_cast<int32_t>(Between(7, 8))};
    basket.store = StoreId{static_cast<int32_t>(Between(70, 71))};
    basket.occurred_at = Timestamp(Between(1'700'000'000, 1'800'000'000) * kMicrosPerSecond);
    const int64_t lines = Between(1, 12);
    const int64_t most = OneIn(20) ? kMaxAmount.value() / 12 : 20'000;
    int64_t sum = 0;
    for (int64_t i = 0; i < lines; ++i) {
      Line line{Pick(kSkus), Pick(kCategories), Between(1, OneIn(20) ? kMaxQuantity : 6),
                MinorUnits{Between(0, most)}};
      line.tax = MinorUnits{Between(0, line.amount.value())};
      sum += line.amount.value();
      basket.lines.push_back(line);
    }
    if (OneIn(3)) basket.paid_with_points = MinorUnits{Between(0, sum)};
    return basket;
  }

  Facts AMember(const RuleSet& set) {
    Facts facts;
    if (OneIn(2)) facts.member.tier = Pick(kTiers);
    if (OneIn(2)) facts.member.segments = {Pick(kTiers)};
    if (OneIn(2)) facts.member.birthday = MonthDay{2, 29};
    facts.member.first_at_partner = OneIn(2);
    facts.member.first_in_programme = facts.member.first_at_partner && OneIn(2);
    for (const Cap& cap : set.caps) {
      facts.caps_left.push_back(OneIn(3) ? kUnlimited : Points{Between(0, cap.points.value())});
    }
    return facts;
  }

 private:
  static constexpr const char* kSkus[] = {"milk", "bread", "beer", "wine"};
  static constexpr const char* kCategories[] = {"food", "drinks", "tobacco"};
  static constexpr const char* kTiers[] = {"silver", "gold"};

  template <size_t N>
  const char* Pick(const char* const (&values)[N]) {
    return values[Between(0, N - 1)];
  }

  Effect AnEffect() {
    const auto rounding = static_cast<Rounding>(Between(0, 1));
    switch (Between(0, 6)) {
      case 0:
        return Exclusion{"not for points"};
      case 1:
      case 2: {
        const int64_t per = Between(1, 3'000);
        return BaseRate{Points{Between(1, per)}, MinorUnits{per}, rounding};
      }
      case 3:
        return FixedBonus{Points{Between(1, OneIn(10) ? kMaxBonus.value() : 500)}};
      case 4:
        return ProductBonus{Points{Between(1, OneIn(10) ? kMaxBonus.value() : 50)}, Between(1, 4),
                            rounding};
      default: {
        const int64_t denominator = Between(1, OneIn(5) ? kMaxDenominator : 4);
        const int64_t numerator =
            denominator + Between(1, OneIn(10) ? 99 * denominator : 2 * denominator);
        return Multiplier{numerator, denominator, static_cast<Multiplicand>(Between(0, 1)),
                          rounding};
      }
    }
  }

  Conditions SomeConditions() {
    Conditions conditions;
    if (OneIn(5)) conditions.tiers = {Pick(kTiers)};
    if (OneIn(8)) conditions.segments = {Pick(kTiers)};
    if (OneIn(8)) conditions.first_purchase = static_cast<FirstPurchase>(Between(1, 2));
    if (OneIn(5)) conditions.valid_from = absl::CivilSecond(2025, Between(1, 12), 1);
    if (OneIn(5)) conditions.valid_until = absl::CivilSecond(2026, Between(1, 12), 1);
    if (OneIn(5)) {
      const int from = static_cast<int>(Between(0, 1'439));
      conditions.windows.push_back({static_cast<uint8_t>(Between(1, 127)), from,
                                    static_cast<int>((from + Between(1, 1'439)) % 1'440)});
    }
    if (OneIn(4)) conditions.min_amount = MinorUnits{Between(1, 20'000)};
    return conditions;
  }

  Rule ARandomRule(size_t index, const RuleSet& set) {
    Rule rule = ARule("r" + std::to_string(index), AnEffect(), static_cast<int32_t>(Between(0, 3)));
    if (OneIn(4)) rule.selector.partners = {PartnerId{7}};
    if (OneIn(4)) rule.selector.stores = {StoreId{70}};
    if (OneIn(3)) rule.selector.categories = {Pick(kCategories)};
    if (OneIn(3)) rule.selector.skus = {Pick(kSkus)};
    rule.conditions = SomeConditions();
    // A bonus would need a cap by year.
    const bool takes_birthday = !std::holds_alternative<FixedBonus>(rule.effect);
    if (takes_birthday && OneIn(6)) {
      rule.conditions.birthday =
          BirthdayWindow{static_cast<int>(Between(0, 31)), static_cast<int>(Between(0, 31))};
    }
    rule.basis = {OneIn(3), OneIn(3)};
    rule.stop = OneIn(8);
    if (OneIn(4)) rule.funding.shares = {{{FunderKind::kOperator, {}}, 333'333}};
    if (rule.IsExclusion()) return rule;
    if (!rule.IsBaseRate() && OneIn(4)) rule.group = OneIn(2) ? "a" : "b";
    for (const Cap& cap : set.caps) {
      if (OneIn(3)) rule.caps.push_back(cap.id);
    }
    return rule;
  }

  std::mt19937_64 random_;
};

}  // namespace guilder::rules
