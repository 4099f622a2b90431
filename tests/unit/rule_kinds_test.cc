// One test for each kind of rule and condition, by example.
#include "libs/base/reason.h"
#include "tests/support/catch2.h"
#include "tests/support/rule_builders.h"

namespace guilder::rules {
namespace {

std::vector<int64_t> PointsOf(const Award& award) {
  std::vector<int64_t> points;
  for (const LineAward& line : award.lines) points.push_back(line.points.value());
  return points;
}

Points PointsFor(const Rule& rule, const Basket& basket, const Facts& facts = {}) {
  const RuleSet set{1, {rule}};
  REQUIRE(Validate(set).ok());
  return Evaluate(set, basket, facts).total;
}

WhyNot WhyNotOf(const RuleSet& set, const std::string& id, const Basket& basket,
                const Facts& facts = {}) {
  const CompiledRules rules(set);
  const Award award = Evaluate(set, basket, facts);
  for (const RuleExplanation& rule : ExplainRules(rules, basket, facts, award)) {
    if (set.rules[rule.rule].id == id) return rule.why;
  }
  throw std::invalid_argument(id);
}

TEST_CASE("BaseRate: flooring is of the basket or of each line, as declared",
          "[unit][rules][inv-23]") {
  Rule rule = ABaseRate(1, 3'000);
  const Basket basket = ABasketOf({2'999, 2'999, 2'999});

  CHECK(PointsFor(rule, basket) == Points{2});
  std::get<BaseRate>(rule.effect).rounding = Rounding::kPerLine;
  CHECK(PointsFor(rule, basket) == Points{0});
  CHECK(PointsFor(rule, ABasketOf({8'999, 3'000})) == Points{3});
}

TEST_CASE("MoneyBasis: what was paid with points earns or not, as configured",
          "[unit][rules][inv-24]") {
  Rule rule = ABaseRate(1, 1'000);
  Basket basket = ABasketOf({60'000, 40'000});
  basket.paid_with_points = MinorUnits{20'000};

  CHECK(PointsFor(rule, basket) == Points{100});
  rule.basis.without_paid_with_points = true;
  CHECK(PointsFor(rule, basket) == Points{80});
  CHECK(PointsOf(Evaluate({1, {rule}}, basket)) == std::vector<int64_t>{48, 32});
}

TEST_CASE("MoneyBasis: tax counts or not, as configured", "[unit][rules][inv-24]") {
  Rule rule = ABaseRate(1, 100);
  Basket basket = ABasketOf({11'900});
  basket.lines[0].tax = MinorUnits{1'900};

  CHECK(PointsFor(rule, basket) == Points{119});
  rule.basis.without_tax = true;
  CHECK(PointsFor(rule, basket) == Points{100});
}

TEST_CASE("Exclusion: gift cards and delivery neither earn nor help to reach a threshold",
          "[unit][rules][inv-24]") {
  Rule bonus = ARule("bonus", FixedBonus{Points{50}});
  bonus.conditions.min_amount = MinorUnits{10'000};
  Rule no_delivery = ARule("no-delivery", Exclusion{"delivery"});
  no_delivery.selector.categories = {"delivery"};
  const RuleSet set{1, {ABaseRate(1, 100), bonus, no_delivery}};
  Basket basket = ABasketOf({9'000, 1'000});

  CHECK(Evaluate(set, basket).total == Points{150});
  basket.lines[1].category = "delivery";
  CHECK(Evaluate(set, basket).total == Points{90});
  CHECK(WhyNotOf(set, "bonus", basket) == WhyNot::kBelowMinAmount);
}

TEST_CASE(
    "Multipliers and bonuses: two times, fifty more and three times give the documented number",
    "[unit][rules][inv-28]") {
  RuleSet set{1,
              {ABaseRate(1, 100), ARule("double", Multiplier{2, 1}, 30),
               ARule("fifty", FixedBonus{Points{50}}, 20), ARule("triple", Multiplier{3, 1}, 10)}};
  const Basket basket = ABasketOf({10'000});

  // Of base points: 100, and 100, 50 and 200 more.
  CHECK(Evaluate(set, basket).total == Points{450});
  // Of all before it: ((100 × 2) + 50) × 3.
  std::get<Multiplier>(set.rules[1].effect).of = Multiplicand::kPointsSoFar;
  std::get<Multiplier>(set.rules[3].effect).of = Multiplicand::kPointsSoFar;
  CHECK(Evaluate(set, basket).total == Points{750});
  // The bonus last: 100 × 2 × 3 + 50.
  set.rules[2].priority = 0;
  CHECK(Evaluate(set, basket).total == Points{650});
}

TEST_CASE("Multiplier: a factor is an exact fraction", "[unit][rules]") {
  const RuleSet set{1, {ABaseRate(1, 100), ARule("half-more", Multiplier{3, 2})}};

  CHECK(Evaluate(set, ABasketOf({300})).total == Points{4});
  CHECK(Evaluate(set, ABasketOf({400})).total == Points{6});
}

TEST_CASE("Stop: rules after it leave its lines alone", "[unit][rules][inv-28]") {
  Rule sale = ARule("sale", BaseRate{Points{1}, MinorUnits{1'000}}, 5);
  sale.selector.categories = {"sale"};
  sale.stop = true;
  const RuleSet set{1, {ABaseRate(1, 100), sale, ARule("double", Multiplier{2, 1})}};
  Basket basket = ABasketOf({1'000, 1'000});

  CHECK(Evaluate(set, basket).total == Points{40});
  basket.lines[0].category = "sale";
  CHECK(PointsOf(Evaluate(set, basket)) == std::vector<int64_t>{1, 20});
  basket.lines[1].category = "sale";
  CHECK(WhyNotOf(set, "double", basket) == WhyNot::kStopped);
}

TEST_CASE("Group: the first rule of a group that gives points is the only one", "[unit][rules]") {
  RuleSet set{1,
              {ARule("b", FixedBonus{Points{10}}), ARule("a", FixedBonus{Points{30}}),
               ARule("c", FixedBonus{Points{99}}, 1)}};
  for (Rule& rule : set.rules) rule.group = "welcome";
  set.rules[2].conditions.tiers = {"gold"};
  Facts gold;
  gold.member.tier = "gold";

  CHECK(Evaluate(set, ABasketOf({100})).total == Points{30});
  CHECK(Evaluate(set, ABasketOf({100}), gold).total == Points{99});
  CHECK(WhyNotOf(set, "b", ABasketOf({100})) == WhyNot::kGroupTaken);
}

TEST_CASE("ProductBonus: it belongs to its product's lines alone", "[unit][rules][inv-39]") {
  Rule coffee = ARule("coffee", ProductBonus{Points{25}, 2});
  coffee.selector.skus = {"coffee"};
  const RuleSet set{1, {ABaseRate(1, 100), coffee}};
  Basket basket = ABasketOf({1'000, 1'000, 1'000});
  basket.lines[1] = {"coffee", "food", 3, MinorUnits{1'000}};
  basket.lines[2] = {"coffee", "food", 2, MinorUnits{1'000}};

  CHECK(PointsOf(Evaluate(set, basket)) == std::vector<int64_t>{10, 40, 30});
  Rule per_line = coffee;
  std::get<ProductBonus>(per_line.effect).rounding = Rounding::kPerLine;
  CHECK(PointsOf(Evaluate({1, {per_line}}, basket)) == std::vector<int64_t>{0, 25, 25});
}

TEST_CASE("Tier: the rule asks for the tier that it is given", "[unit][rules][inv-29]") {
  Rule rule = ABaseRate(2, 100);
  rule.conditions.tiers = {"gold", "platinum"};
  Facts facts;

  CHECK(PointsFor(rule, ABasketOf({100}), facts) == Points{0});
  facts.member.tier = "gold";
  CHECK(PointsFor(rule, ABasketOf({100}), facts) == Points{2});
  rule.conditions.segments = {"parents"};
  CHECK(WhyNotOf({1, {rule}}, "base", ABasketOf({100}), facts) == WhyNot::kSegment);
}

TEST_CASE("Validity: a day with a change of the clocks begins once, at its local midnight",
          "[unit][rules][inv-22]") {
  Rule rule = ABaseRate(1, 100);
  Basket basket = ABasketOf({100});
  const auto at = [&](const absl::CivilSecond& local, int seconds = 0) {
    basket.occurred_at = BerlinTime(local) + Timestamp(seconds * kMicrosPerSecond);
    return PointsFor(rule, basket) > Points{0};
  };

  // 29 March 2026: 02:00 to 03:00 does not exist.
  rule.conditions.valid_from = absl::CivilSecond(2026, 3, 29);
  rule.conditions.valid_until = absl::CivilSecond(2026, 3, 30);
  CHECK_FALSE(at(absl::CivilSecond{2026, 3, 28, 23, 59, 59}));
  CHECK(at(absl::CivilSecond{2026, 3, 29}));
  CHECK(at(absl::CivilSecond{2026, 3, 29, 23, 59, 59}));
  CHECK_FALSE(at(absl::CivilSecond{2026, 3, 30}));
  // From a time that is skipped: from the instant of the change.
  rule.conditions.valid_from = absl::CivilSecond(2026, 3, 29, 2, 30, 0);
  CHECK_FALSE(at(absl::CivilSecond{2026, 3, 29, 1, 59, 59}));
  CHECK(at(absl::CivilSecond{2026, 3, 29, 3, 0, 0}));
  // 25 October 2026: 02:00 to 03:00 comes twice. From the first 02:30 on, also in the second 02:10.
  rule.conditions.valid_from = absl::CivilSecond(2026, 10, 25, 2, 30, 0);
  rule.conditions.valid_until.reset();
  CHECK_FALSE(at(absl::CivilSecond{2026, 10, 25, 1, 59, 59}, 600));
  CHECK(at(absl::CivilSecond{2026, 10, 25, 1, 59, 59}, 1'801));
  CHECK(at(absl::CivilSecond{2026, 10, 25, 1, 59, 59}, 3'600 + 600));
}

TEST_CASE("TimeWindow: hours over midnight belong to the day on which they begin",
          "[unit][rules]") {
  Rule rule = ABaseRate(1, 100);
  constexpr uint8_t kFriday = 1 << 4;
  rule.conditions.windows = {{kFriday, 22 * 60, 2 * 60}};
  Basket basket = ABasketOf({100});
  const auto at = [&](int day, int hour) {
    basket.occurred_at = BerlinTime(absl::CivilSecond(2026, 1, day, hour, 30, 0));
    return PointsFor(rule, basket) > Points{0};
  };

  CHECK(at(2, 22));  // Friday evening
  CHECK(at(3, 1));   // Saturday, what is left of it
  CHECK_FALSE(at(3, 2));
  CHECK_FALSE(at(2, 1));   // Friday, what is left of Thursday
  CHECK_FALSE(at(3, 22));  // Saturday evening
}

TEST_CASE("Birthday: the window spans the turn of the year, and 29 February is kept",
          "[unit][rules][inv-30]") {
  Rule rule = ABaseRate(5, 100);
  rule.conditions.birthday = BirthdayWindow{3, 3};
  Facts facts;
  Basket basket = ABasketOf({100});
  const auto on = [&](int year, int month, int day) {
    basket.occurred_at = BerlinTime(absl::CivilSecond(year, month, day, 12, 0, 0));
    return PointsFor(rule, basket, facts) > Points{0};
  };

  CHECK_FALSE(on(2026, 1, 1));
  facts.member.birthday = MonthDay{1, 2};
  CHECK(on(2025, 12, 30));
  CHECK(on(2026, 1, 5));
  CHECK_FALSE(on(2026, 1, 6));
  facts.member.birthday = MonthDay{2, 29};
  CHECK(on(2028, 2, 29));
  CHECK(on(2026, 3, 1));
  CHECK_FALSE(on(2026, 2, 25));
}

TEST_CASE("Validate: a birthday's bonus needs a cap of the member by year",
          "[unit][rules][inv-30]") {
  Rule bonus = ARule("birthday", FixedBonus{Points{100}});
  bonus.conditions.birthday = BirthdayWindow{};
  RuleSet set{1, {bonus}};

  CHECK(ReasonOf(Validate(set)) == Reason::kRequestMalformed);
  set.caps = {{"birthday", "Birthday", CapScope::kMember, CapPeriod::kYear, Points{100}}};
  set.rules[0].caps = {"birthday"};
  CHECK(Validate(set).ok());
}

TEST_CASE("FirstPurchase: at the partner, or anywhere", "[unit][rules]") {
  Rule rule = ARule("first", FixedBonus{Points{10}});
  rule.conditions.first_purchase = FirstPurchase::kAtPartner;
  Facts facts;
  facts.member.first_at_partner = true;

  CHECK(PointsFor(rule, ABasketOf({1}), facts) == Points{10});
  rule.conditions.first_purchase = FirstPurchase::kInProgramme;
  CHECK(PointsFor(rule, ABasketOf({1}), facts) == Points{0});
  CHECK(WhyNotOf({1, {rule}}, "first", ABasketOf({1}), facts) == WhyNot::kFirstPurchase);
}

TEST_CASE("Evaluate: where base rates alone give points, other rules say why they did not",
          "[unit][rules][inv-87]") {
  const RuleSet set{1, {ABaseRate(1, 100), ARule("bonus", FixedBonus{Points{50}})}};
  Facts facts;
  CHECK(Evaluate(set, ABasketOf({5'000}), facts).total == Points{100});
  facts.base_rates_only = true;

  CHECK(Evaluate(set, ABasketOf({5'000}), facts).total == Points{50});
  CHECK(WhyNotOf(set, "base", ABasketOf({5'000}), facts) == WhyNot::kFired);
  CHECK(WhyNotOf(set, "bonus", ABasketOf({5'000}), facts) == WhyNot::kNoBonuses);
}

TEST_CASE("Cap: it trims and says so, the tightest one of several", "[unit][rules][inv-26]") {
  Rule base = ABaseRate(1, 100);
  base.caps = {"day", "receipt"};
  const RuleSet set{1,
                    {base},
                    {{"day", "A day", CapScope::kMember, CapPeriod::kDay, Points{100}},
                     {"receipt", "A receipt", CapScope::kReceipt, CapPeriod::kEver, Points{60}}}};
  REQUIRE(Validate(set).ok());
  Facts facts;
  facts.caps_left = {Points{100}};

  Award award = Evaluate(set, ABasketOf({5'000, 3'000}), facts);
  CHECK(award.total == Points{60});
  CHECK(award.rules[0].raw == Points{80});
  CHECK(award.rules[0].trimmed_by == 1);
  CHECK(award.caps_used == std::vector<Points>{Points{60}, Points{60}});
  facts.caps_left = {Points{7}};
  award = Evaluate(set, ABasketOf({5'000, 3'000}), facts);
  CHECK(PointsOf(award) == std::vector<int64_t>{4, 3});
  CHECK(award.rules[0].trimmed_by == 0);
  facts.caps_left = {Points{0}};
  CHECK(WhyNotOf(set, "base", ABasketOf({5'000}), facts) == WhyNot::kCapReached);
}

TEST_CASE("Cap: rules that share one are served in the order of their priority",
          "[unit][rules][inv-26]") {
  Rule low = ARule("low", FixedBonus{Points{30}}, 1);
  Rule high = ARule("high", FixedBonus{Points{30}}, 2);
  low.caps = high.caps = {"budget"};
  const RuleSet set{
      1, {low, high}, {{"budget", "Budget", CapScope::kCampaign, CapPeriod::kEver, Points{500}}}};
  Facts facts;
  facts.caps_left = {Points{40}};

  const Award award = Evaluate(set, ABasketOf({100}), facts);

  REQUIRE(award.rules.size() == 2);
  CHECK(award.rules[0].points == Points{30});
  CHECK(award.rules[1].points == Points{10});
  CHECK(set.rules[award.rules[1].rule].id == "low");
}

TEST_CASE("Funding: shares sum to the points, the remainder is the declared payer's",
          "[unit][rules][inv-96]") {
  Funding funding;
  funding.shares = {{{FunderKind::kBrand, PartnerId{9}}, 333'333},
                    {{FunderKind::kOperator, {}}, 333'333}};

  const auto parts = SharesOf(funding, Points{10});

  CHECK(parts == std::vector<FundedPart>{{{FunderKind::kBrand, PartnerId{9}}, Points{3}},
                                         {{FunderKind::kOperator, {}}, Points{3}},
                                         {{FunderKind::kStore, {}}, Points{4}}});
}

TEST_CASE("Explain: each rule says in a sentence what it gave or why not", "[unit][rules]") {
  RuleSet set{1, {ABaseRate(1, 100), ARule("triple", Multiplier{3, 1})}};
  set.caps = {{"week", "A week", CapScope::kMember, CapPeriod::kWeek, Points{15}}};
  set.rules[1].caps = {"week"};
  Rule gold = ARule("gold", FixedBonus{Points{5}});
  gold.conditions.tiers = {"gold"};
  set.rules.push_back(gold);
  const CompiledRules rules(set);
  const Basket basket = ABasketOf({1'000, 500});
  Facts facts;
  facts.caps_left = {Points{15}};
  const Award award = Evaluate(set, basket, facts);

  const Explanation explained = Explain(rules, basket, facts, award, Currency{'E', 'U', 'R'}, 2);

  REQUIRE(explained.rules.size() == 3);
  CHECK(explained.rules[0].text == "15 points: 1 point per full 1.00 EUR of 15.00 EUR on 2 lines");
  CHECK(explained.rules[1].text == "no points: it is for the tier gold");
  CHECK(explained.rules[2].text ==
        "15 points: 3 times 15 points; it would be 30 points, but the cap 'A week' leaves 15");
  CHECK(explained.lines[1] ==
        "10 points: 5 of 15 points (1 point per full 1.00 EUR of 15.00 EUR on 2 lines, rule 'Rule "
        "base'); 5 of 15 points (3 times 15 points; it would be 30 points, but the cap 'A week' "
        "leaves 15, rule 'Rule triple')");
}

}  // namespace
}  // namespace guilder::rules
