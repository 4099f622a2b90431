// What holds for any set of rules, any basket and any member. Seeds are printed.
#include <algorithm>
#include <map>
#include <random>

#include "libs/rules/conditions.h"
#include "tests/support/catch2.h"
#include "tests/support/rule_builders.h"

namespace guilder::rules {
namespace {

// Which rule gave which line how much, by the rules' ids.
std::map<std::pair<std::string, size_t>, Points> GivenBy(const RuleSet& set, const Award& award) {
  std::map<std::pair<std::string, size_t>, Points> given;
  for (const RuleAward& rule : award.rules) {
    for (size_t i = 0; i < rule.parts; ++i) {
      const LinePart& part = award.parts[rule.first_part + i];
      given[{set.rules[rule.rule].id, part.line}] += part.points;
    }
  }
  return given;
}

void CheckSums(const RuleSet& set, const Facts& facts, const Award& award) {
  Points of_lines;
  for (const LineAward& line : award.lines) {
    REQUIRE(line.points >= Points{0});
    of_lines += line.points;
  }
  REQUIRE(of_lines == award.total);
  REQUIRE(award.total <= kMaxPointsPerCommand);
  Points of_rules;
  std::vector<Points> used(set.caps.size());
  for (const RuleAward& rule : award.rules) {
    Points of_parts;
    for (size_t i = 0; i < rule.parts; ++i) of_parts += award.parts[rule.first_part + i].points;
    REQUIRE(of_parts == rule.points);
    REQUIRE(rule.points <= rule.raw);
    REQUIRE((rule.points == rule.raw) == (rule.trimmed_by == kNoCap));
    of_rules += rule.points;
    for (size_t i = 0; i < set.caps.size(); ++i) {
      const auto& caps = set.rules[rule.rule].caps;
      if (std::find(caps.begin(), caps.end(), set.caps[i].id) != caps.end()) used[i] += rule.points;
    }
  }
  REQUIRE(of_rules == award.total);
  REQUIRE(used == award.caps_used);
  for (size_t i = 0; i < set.caps.size(); ++i) {
    const bool receipt = set.caps[i].scope == CapScope::kReceipt;
    REQUIRE(used[i] <= (receipt ? set.caps[i].points : facts.caps_left[i]));
  }
}

void CheckExplanation(const CompiledRules& rules, const Basket& basket, const Facts& facts,
                      const Award& award) {
  const Explanation explained = Explain(rules, basket, facts, award, Currency{'E', 'U', 'R'}, 2);
  REQUIRE(explained.lines.size() == basket.lines.size());
  REQUIRE(explained.rules.size() == rules.rule_set().rules.size());
  size_t awards = 0;
  for (const RuleExplanation& rule : explained.rules) {
    REQUIRE_FALSE(rule.text.empty());
    if (rule.award) ++awards;
    const Points given = rule.award ? award.rules[*rule.award].points : Points{0};
    const bool excludes = rules.rule_set().rules[rule.rule].IsExclusion();
    if (!excludes) REQUIRE((rule.why == WhyNot::kFired) == (given > Points{0}));
    Points funded;
    for (const FundedPart& part : rule.funded) funded += part.points;
    REQUIRE(funded == given);
  }
  REQUIRE(awards == award.rules.size());
}

TEST_CASE("Evaluate: sums, caps and explanations hold for any rules", "[unit][rules][inv-25]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  RandomRules random(seed);
  Workspace workspace;
  Award award;
  int64_t points = 0;
  for (int round = 0; round < 1'000; ++round) {
    const RuleSet set = random.ASet(static_cast<size_t>(random.Between(0, 140)));
    REQUIRE(Validate(set).ok());
    const CompiledRules rules(set);
    for (int i = 0; i < 3; ++i) {
      const Basket basket = random.ABasket();
      REQUIRE(Validate(basket).ok());
      const Facts facts = random.AMember(set);

      Evaluate(rules, basket, facts, workspace, award);

      CheckSums(set, facts, award);
      CheckExplanation(rules, basket, facts, award);
      points += award.total.value() > 0 ? 1 : 0;
    }
  }
  CHECK(points > 300);
}

TEST_CASE("Evaluate: the order in which rules stand plays no part", "[unit][rules][inv-28]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  RandomRules random(seed);
  for (int round = 0; round < 1'000; ++round) {
    const RuleSet set = random.ASet(static_cast<size_t>(random.Between(1, 100)));
    const Basket basket = random.ABasket();
    const Facts facts = random.AMember(set);
    RuleSet shuffled = set;
    std::shuffle(shuffled.rules.begin(), shuffled.rules.end(), random.engine());

    const Award award = Evaluate(set, basket, facts);
    const Award again = Evaluate(shuffled, basket, facts);

    REQUIRE(GivenBy(set, award) == GivenBy(shuffled, again));
    REQUIRE(award.caps_used == again.caps_used);
  }
}

TEST_CASE("KeptFacts: what is kept of a member gives the same points and reasons again",
          "[unit][rules][inv-29]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  RandomRules random(seed);
  int near_birthday = 0;
  for (int round = 0; round < 2'000; ++round) {
    const RuleSet set = random.ASet(static_cast<size_t>(random.Between(1, 40)));
    const CompiledRules rules(set);
    Basket basket = random.ABasket();
    if (random.OneIn(2)) basket.occurred_at = BerlinTime(absl::CivilSecond(2026, 3, 2, 12, 0, 0));
    const Facts facts = random.AMember(set);
    Facts kept = facts;
    kept.member = KeptFacts(rules, basket, facts.member);

    const Award award = Evaluate(set, basket, facts);

    REQUIRE_FALSE(kept.member.birthday);
    REQUIRE(award == Evaluate(set, basket, kept));
    CheckExplanation(rules, basket, kept, award);
    // What is kept is kept whole when it is kept again.
    REQUIRE(KeptFacts(rules, basket, kept.member) == kept.member);
    near_birthday += kept.member.birthday_windows.empty() ? 0 : 1;
  }
  CHECK(near_birthday > 50);
}

TEST_CASE("Evaluate: an index that is used again gives what a fresh one gives", "[unit][rules]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  RandomRules random(seed);
  Workspace workspace;
  Award award;
  for (int round = 0; round < 1'000; ++round) {
    const RuleSet set = random.ASet(static_cast<size_t>(random.Between(0, 80)));
    const CompiledRules rules(set);
    const Basket basket = random.ABasket();
    const Facts facts = random.AMember(set);

    Evaluate(rules, basket, facts, workspace, award);

    REQUIRE(award == Evaluate(set, basket, facts));
  }
}

}  // namespace
}  // namespace guilder::rules
