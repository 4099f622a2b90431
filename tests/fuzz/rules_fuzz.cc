// Rules that operators propose, and what they give for any basket. Sets of rules and baskets are
// made of the input's bytes, with few ids, categories and amounts, so that rules meet.
#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include <fuzzer/FuzzedDataProvider.h>

#include "guilder/accrual/v1/rule_service.pb.h"

#include "libs/rules/evaluate.h"
#include "libs/rules/explain.h"
#include "libs/rules/reversal.h"
#include "services/accrual/store/rule_codec.h"
#include "tests/fuzz/property.h"

namespace guilder {
namespace {

const accrual::RuleNames& Names() {
  static const auto* const kNames = new accrual::RuleNames{
      {{"partners/fresh-market", PartnerId(3)}, {"partners/bookshop", PartnerId(4)}},
      {{"partners/fresh-market/stores/s1", StoreId(7)}}};
  return *kNames;
}

// Small, large, and anything.
int64_t TakeAmount(FuzzedDataProvider& bytes) {
  switch (bytes.ConsumeIntegralInRange(0, 3)) {
    case 0:
      return bytes.ConsumeIntegralInRange<int64_t>(0, 40);
    case 1:
      return bytes.ConsumeIntegralInRange<int64_t>(0, 100'000);
    case 2:
      return kMaxAmount.value() - bytes.ConsumeIntegralInRange<int64_t>(0, 3);
    default:
      return bytes.ConsumeIntegral<int64_t>();
  }
}

const char* TakeWord(FuzzedDataProvider& bytes) {
  return bytes.PickValueInArray<const char*>({"milk", "bread", "tobacco", "gift-card", ""});
}

void TakeEffect(FuzzedDataProvider& bytes, accrual::v1::EarnRule& rule) {
  const auto rounding = static_cast<accrual::v1::Rounding>(bytes.ConsumeIntegralInRange(0, 2));
  switch (bytes.ConsumeIntegralInRange(0, 6)) {
    case 0:
      rule.mutable_exclusion()->set_reason("not for points");
      return;
    case 1:
      rule.mutable_multiplier()->set_numerator(TakeAmount(bytes));
      rule.mutable_multiplier()->set_denominator(bytes.ConsumeIntegralInRange(0, 20'000));
      rule.mutable_multiplier()->set_of(
          static_cast<accrual::v1::Multiplicand>(bytes.ConsumeIntegralInRange(0, 2)));
      rule.mutable_multiplier()->set_rounding(rounding);
      return;
    case 2:
      rule.mutable_fixed_bonus()->set_points(TakeAmount(bytes));
      return;
    case 3:
      rule.mutable_product_bonus()->set_points(TakeAmount(bytes));
      rule.mutable_product_bonus()->set_per_quantity(bytes.ConsumeIntegralInRange(0, 9));
      rule.mutable_product_bonus()->set_rounding(rounding);
      return;
    case 4:
      return;
    default:
      rule.mutable_base_rate()->set_points(TakeAmount(bytes));
      rule.mutable_base_rate()->set_per_minor_units(TakeAmount(bytes));
      rule.mutable_base_rate()->set_rounding(rounding);
  }
}

void TakeConditions(FuzzedDataProvider& bytes, accrual::v1::RuleConditions& conditions) {
  const int asked = bytes.ConsumeIntegral<uint8_t>();
  if (asked & 1) conditions.add_tiers(TakeWord(bytes));
  if (asked & 2) conditions.add_segments(TakeWord(bytes));
  if (asked & 4) conditions.set_first_purchase(accrual::v1::FIRST_PURCHASE_AT_PARTNER);
  if (asked & 8) conditions.mutable_birthday()->set_days_after(bytes.ConsumeIntegral<int8_t>());
  if (asked & 16) {
    conditions.set_valid_from(
        bytes.PickValueInArray<std::string>({"2026-03-29", "1970-01-01", "2026-10-25T02:30:00"}));
  }
  if (asked & 32) conditions.set_valid_until(bytes.ConsumeRandomLengthString(20));
  if (asked & 64) {
    accrual::v1::TimeWindow& window = *conditions.add_windows();
    window.add_days(static_cast<accrual::v1::DayOfWeek>(bytes.ConsumeIntegralInRange(0, 8)));
    window.set_from(bytes.PickValueInArray<std::string>({"", "22:00", "24:00", "7:00"}));
    window.set_until(bytes.PickValueInArray<std::string>({"", "02:00", "24:00", "22:00"}));
  }
  if (asked & 128) conditions.set_min_amount_minor_units(TakeAmount(bytes));
}

accrual::v1::RuleSet TakeRules(FuzzedDataProvider& bytes) {
  accrual::v1::RuleSet rule_set;
  const int caps = bytes.ConsumeIntegralInRange(0, 2);
  for (int i = 0; i < caps; ++i) {
    accrual::v1::Cap& cap = *rule_set.add_caps();
    cap.set_cap_id(i == 0 ? "day" : "budget");
    cap.set_display_name("A cap");
    cap.set_scope(static_cast<accrual::v1::CapScope>(bytes.ConsumeIntegralInRange(0, 4)));
    cap.set_period(static_cast<accrual::v1::CapPeriod>(bytes.ConsumeIntegralInRange(0, 5)));
    cap.set_points(TakeAmount(bytes));
  }
  const int count = bytes.ConsumeIntegralInRange(0, 6);
  for (int i = 0; i < count; ++i) {
    accrual::v1::EarnRule& rule = *rule_set.add_rules();
    rule.set_rule_id(bytes.PickValueInArray<std::string>({"base", "more", "a-1", "none", "", "B"}));
    rule.set_display_name(TakeWord(bytes) + std::string(" points"));
    rule.set_priority(bytes.ConsumeBool() ? bytes.ConsumeIntegralInRange(-1, 1)
                                          : bytes.ConsumeIntegral<int32_t>());
    const int selected = bytes.ConsumeIntegral<uint8_t>();
    accrual::v1::LineSelector& selector = *rule.mutable_selector();
    if (selected & 1) selector.add_partners("partners/fresh-market");
    if (selected & 2) selector.add_partners("partners/bookshop");
    if (selected & 4) selector.add_stores("partners/fresh-market/stores/s1");
    if (selected & 8) selector.add_stores(bytes.ConsumeRandomLengthString(20));
    if (selected & 16) selector.add_categories(TakeWord(bytes));
    if (selected & 32) selector.add_skus(TakeWord(bytes));
    if (selected & 64) rule.add_caps("day");
    if (selected & 128) rule.add_caps("budget");
    TakeEffect(bytes, rule);
    if (bytes.ConsumeBool()) TakeConditions(bytes, *rule.mutable_conditions());
    const int more = bytes.ConsumeIntegral<uint8_t>();
    rule.mutable_basis()->set_without_tax(more & 1);
    rule.mutable_basis()->set_without_paid_with_points(more & 2);
    rule.set_stop(more & 4);
    if (more & 8) rule.set_group("one");
    if (more & 16)
      rule.mutable_funding()->add_shares()->set_share_ppm(bytes.ConsumeIntegral<int>());
  }
  return rule_set;
}

rules::Basket TakeBasket(FuzzedDataProvider& bytes) {
  rules::Basket basket;
  basket.partner = PartnerId(3);
  basket.store = StoreId(bytes.ConsumeBool() ? 7 : 8);
  const int count = bytes.ConsumeIntegralInRange(1, 6);
  for (int i = 0; i < count; ++i) {
    basket.lines.push_back(
        {TakeWord(bytes), TakeWord(bytes), bytes.ConsumeIntegralInRange<int64_t>(1, 9),
         MinorUnits(TakeAmount(bytes)), MinorUnits(bytes.ConsumeIntegralInRange<int64_t>(0, 50))});
  }
  basket.occurred_at = Timestamp(bytes.ConsumeIntegralInRange<int64_t>(0, 4'000'000'000'000'000));
  basket.paid_with_points = MinorUnits(bytes.ConsumeIntegralInRange<int64_t>(0, 50));
  return basket;
}

rules::Facts TakeFacts(size_t caps, FuzzedDataProvider& bytes) {
  rules::Facts facts;
  facts.member.tier = TakeWord(bytes);
  facts.member.segments = {TakeWord(bytes)};
  facts.member.first_at_partner = bytes.ConsumeBool();
  facts.member.first_in_programme = bytes.ConsumeBool();
  if (bytes.ConsumeBool()) facts.member.birthday = rules::MonthDay{2, 29};
  for (size_t i = 0; i < caps; ++i) facts.caps_left.push_back(Points(TakeAmount(bytes)));
  return facts;
}

// Which rule gave which line how much.
using Given = std::vector<std::tuple<std::string, size_t, Points>>;
Given GivenBy(const rules::RuleSet& rule_set, const rules::Award& award) {
  Given given;
  for (const rules::RuleAward& rule : award.rules) {
    for (size_t i = 0; i < rule.parts; ++i) {
      const rules::LinePart& part = award.parts[rule.first_part + i];
      given.emplace_back(rule_set.rules[rule.rule].id, part.line, part.points);
    }
  }
  return given;
}

void CheckReturns(Points earned, int64_t sold, FuzzedDataProvider& bytes) {
  Points taken;
  for (int64_t before = 0; before < sold;) {
    const int64_t now = bytes.ConsumeIntegralInRange<int64_t>(1, sold - before);
    const Points part = rules::ReversalOfLine(earned, sold, before, now);
    FUZZ_CHECK(part >= Points(0));
    taken += part;
    before += now;
  }
  FUZZ_CHECK(taken == earned);
}

void CheckAward(rules::RuleSet rule_set, const rules::Basket& basket, const rules::Facts& facts,
                FuzzedDataProvider& bytes) {
  const rules::Award award = rules::Evaluate(rule_set, basket, facts);
  FUZZ_CHECK(award.lines.size() == basket.lines.size());
  Points sum;
  for (size_t i = 0; i < award.lines.size(); ++i) {
    FUZZ_CHECK(award.lines[i].points >= Points(0));
    sum += award.lines[i].points;
    CheckReturns(award.lines[i].points, basket.lines[i].quantity, bytes);
  }
  FUZZ_CHECK(sum == award.total);
  FUZZ_CHECK(award.total <= kMaxPointsPerCommand);
  for (size_t i = 0; i < rule_set.caps.size(); ++i) {
    const bool receipt = rule_set.caps[i].scope == rules::CapScope::kReceipt;
    const bool known = i < facts.caps_left.size();
    FUZZ_CHECK(award.caps_used[i] <= (receipt ? rule_set.caps[i].points
                                      : known ? std::max(facts.caps_left[i], Points(0))
                                              : rules::kUnlimited));
  }
  const rules::CompiledRules compiled(rule_set);
  const auto explained = rules::Explain(compiled, basket, facts, award, Currency{'E', 'U', 'R'}, 2);
  FUZZ_CHECK(explained.lines.size() == basket.lines.size());
  FUZZ_CHECK(explained.rules.size() == rule_set.rules.size());

  // What applies does not depend on the order in which rules stand.
  const auto given = GivenBy(rule_set, award);
  std::reverse(rule_set.rules.begin(), rule_set.rules.end());
  FUZZ_CHECK(GivenBy(rule_set, rules::Evaluate(rule_set, basket, facts)) == given);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  accrual::v1::RuleSet wire;
  if (wire.ParseFromArray(data, static_cast<int>(size))) {
    accrual::CollectNames(wire);
    static_cast<void>(accrual::RulesFromProto(1, wire, Names()));
  }

  FuzzedDataProvider bytes(data, size);
  const auto rule_set = accrual::RulesFromProto(1, TakeRules(bytes), Names());
  if (!rule_set.ok()) return 0;
  FUZZ_CHECK(rules::Validate(*rule_set).ok());
  const rules::Basket basket = TakeBasket(bytes);
  if (rules::Validate(basket).ok()) {
    CheckAward(*rule_set, basket, TakeFacts(rule_set->caps.size(), bytes), bytes);
  }
  return 0;
}

}  // namespace guilder
