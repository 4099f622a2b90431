// Property: whatever rules give, their points by payer and by where they may be spent are the
// award's.
#include "libs/rules/points_use.h"

#include <numeric>
#include <random>
#include <set>

#include "libs/rules/explain.h"
#include "tests/support/catch2.h"
#include "tests/support/rule_builders.h"

namespace guilder::rules {
namespace {

PartnerId NamedByKind(const Funder& funder, const Funding&) {
  return PartnerId(static_cast<int32_t>(funder.kind) + 1);
}

TEST_CASE("SplitByUse: the points of every line are shared by rule, and none is lost",
          "[unit][rules][property][inv-7][inv-54][inv-96]") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  RandomRules random(seed);
  int several = 0;
  for (int round = 0; round < 500; ++round) {
    RuleSet set = random.ASet(static_cast<size_t>(random.Between(1, 20)));
    for (Rule& rule : set.rules) {
      if (rule.IsExclusion() || random.OneIn(2)) continue;
      rule.spent_only.on_gifts = random.OneIn(3);
      if (!rule.spent_only.on_gifts) {
        rule.spent_only.at = {PartnerId(static_cast<int32_t>(random.Between(1, 2)))};
      }
    }
    REQUIRE(Validate(set).ok());
    const Basket basket = random.ABasket();
    const Award award = Evaluate(set, basket, random.AMember(set));
    const std::vector<PointsOfUse> uses = SplitByUse(set, award, NamedByKind);

    std::vector<Points> sums(basket.lines.size());
    for (const PointsOfUse& use : uses) {
      Points of_use;
      for (size_t i = 0; i < sums.size(); ++i) {
        sums[i] += use.lines[i];
        of_use += use.lines[i];
      }
      Points of_rules;
      for (const RuleAward& given : award.rules) {
        const Rule& rule = set.rules[given.rule];
        if (rule.spent_only != use.spent_only) continue;
        for (const FundedPart& part : SharesOf(rule.funding, given.points)) {
          if (NamedByKind(part.funder, rule.funding) == use.payer) of_rules += part.points;
        }
      }
      REQUIRE(of_use == of_rules);
      REQUIRE(of_use > Points(0));
    }
    for (size_t i = 0; i < sums.size(); ++i) REQUIRE(sums[i] == award.lines[i].points);
    several += uses.size() > 1 ? 1 : 0;
  }
  CHECK(several > 20);
}

TEST_CASE("SplitByUse: a funder bears its share of each line, to within a point",
          "[unit][rules][inv-7][inv-96]") {
  RuleSet set;
  set.rules.push_back(ABaseRate(1, 100));
  set.rules[0].funding.shares = {{{FunderKind::kOperator, {}}, 250'000}};
  Basket basket;
  for (const int64_t amount : {1'000, 300, 300, 2'000, 100}) {
    basket.lines.push_back({"", "", 1, MinorUnits(amount)});
  }
  const auto uses = SplitByUse(set, Evaluate(set, basket), NamedByKind);
  REQUIRE(uses.size() == 2);
  // 9 of 37 points: of 10, 3, 3, 20 and 1.
  using Lines = std::vector<Points>;
  CHECK(uses[0].payer == NamedByKind({FunderKind::kOperator, {}}, {}));
  CHECK(uses[0].lines == Lines{Points(2), Points(1), Points(1), Points(5), Points(0)});
  CHECK(uses[1].lines == Lines{Points(8), Points(2), Points(2), Points(15), Points(1)});
}

TEST_CASE("Validate: where points are spent is said once and in one way", "[unit][rules][inv-54]") {
  const auto refused = [](const auto& change) {
    RuleSet set;
    set.rules.push_back(ABaseRate(1, 100));
    change(set.rules[0]);
    return !Validate(set).ok();
  };
  CHECK_FALSE(refused([](Rule& rule) { rule.spent_only.on_gifts = true; }));
  CHECK_FALSE(refused([](Rule& rule) { rule.spent_only.at = {PartnerId(1), PartnerId(2)}; }));
  CHECK(refused([](Rule& rule) { rule.spent_only = {true, {PartnerId(1)}}; }));
  CHECK(refused([](Rule& rule) { rule.spent_only.at = {PartnerId(1), PartnerId(1)}; }));
  CHECK(refused([](Rule& rule) {
    for (int32_t i = 1; i <= 101; ++i) rule.spent_only.at.emplace_back(i);
  }));
  CHECK(refused([](Rule& rule) {
    rule.effect = Exclusion{};
    rule.spent_only.on_gifts = true;
  }));
  RuleSet set;
  for (int32_t i = 0; i <= static_cast<int32_t>(kMaxUses); ++i) {
    Rule& rule = set.rules.emplace_back(ABaseRate(1, 100));
    rule.id = "base-" + std::to_string(i);
    rule.spent_only.at = {PartnerId(i + 1)};
  }
  CHECK_FALSE(Validate(set).ok());
  set.rules.pop_back();
  CHECK(Validate(set).ok());
}

}  // namespace
}  // namespace guilder::rules
