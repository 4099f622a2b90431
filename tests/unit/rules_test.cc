#include <algorithm>
#include <numeric>
#include <random>

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/rules/evaluate.h"
#include "libs/rules/explain.h"
#include "libs/rules/reversal.h"
#include "libs/rules/rule_set.h"
#include "tests/support/catch2.h"

namespace guilder::rules {
namespace {

constexpr Currency kEur{'E', 'U', 'R'};

Rule ARate(const std::string& id, int64_t points, int64_t per_minor_units, int32_t priority = 0) {
  return {id, "Rate " + id, priority, {}, BaseRate{Points{points}, MinorUnits{per_minor_units}}};
}

Rule AnExclusion(const std::string& id, const std::string& category) {
  return {id, "No " + category, 0, {{}, {}, {category}, {}}, Exclusion{category + " goods"}};
}

// A basket of partner 7, store 70, with a line for each amount.
Basket ABasket(const std::vector<int64_t>& amounts, std::string_view category = "food") {
  Basket basket{PartnerId{7}, StoreId{70}, Timestamp{0}, {}};
  for (size_t i = 0; i < amounts.size(); ++i) {
    basket.lines.push_back({i == 0 ? "sku-1" : "sku-2", category, 1, MinorUnits{amounts[i]}});
  }
  return basket;
}

std::vector<int64_t> PointsOf(const Award& award) {
  std::vector<int64_t> points;
  for (const LineAward& line : award.lines) points.push_back(line.points.value());
  return points;
}

TEST_CASE("Evaluate: only full units of the whole basket earn", "[unit][rules][inv-23]") {
  const RuleSet rules{1, {ARate("base", 1, 3000)}};

  CHECK(Evaluate(rules, ABasket({8999})).total == Points{2});
  CHECK(Evaluate(rules, ABasket({2999})).total == Points{0});
  CHECK(Evaluate(rules, ABasket({2999, 2999, 2999})).total == Points{2});
  CHECK(Evaluate(rules, ABasket({3000})).total == Points{1});
}

TEST_CASE("Evaluate: a full unit gives all its points, a part gives none", "[unit][rules]") {
  const RuleSet rules{1, {ARate("base", 5, 1000)}};

  CHECK(Evaluate(rules, ABasket({1999})).total == Points{5});
  CHECK(Evaluate(rules, ABasket({2000})).total == Points{10});
}

TEST_CASE("Evaluate: left-over points go to the largest fractions, ties to the first line",
          "[unit][rules][inv-25]") {
  const RuleSet rules{1, {ARate("base", 1, 1000)}};

  CHECK(PointsOf(Evaluate(rules, ABasket({1200, 900, 400}))) == std::vector<int64_t>{1, 1, 0});
  CHECK(PointsOf(Evaluate(rules, ABasket({500, 500, 500, 500}))) ==
        std::vector<int64_t>{1, 1, 0, 0});
}

TEST_CASE("Evaluate: an exclusion wins over any priority", "[unit][rules]") {
  const RuleSet rules{
      1, {ARate("base", 1, 100, /*priority=*/1000), AnExclusion("tobacco", "tobacco")}};
  Basket basket = ABasket({1000, 1000});
  basket.lines[1].category = "tobacco";

  const Award award = Evaluate(rules, basket);

  CHECK(award.total == Points{10});
  CHECK(award.lines[0] == LineAward{Points{10}, 0, Why::kEarned});
  CHECK(award.lines[1] == LineAward{Points{0}, 1, Why::kExcluded});
}

TEST_CASE("Evaluate: the highest priority applies alone, ties by id, whatever the order of rules",
          "[unit][rules]") {
  std::vector<Rule> rules = {ARate("b", 2, 100, 5), ARate("a", 3, 100, 5), ARate("c", 1, 100, 1)};
  std::sort(rules.begin(), rules.end(), [](auto& x, auto& y) { return x.id < y.id; });
  do {
    const RuleSet rule_set{1, rules};
    const Award award = Evaluate(rule_set, ABasket({250}));
    CHECK(award.total == Points{6});
    CHECK(rules[*award.lines[0].rule].id == "a");
  } while (std::next_permutation(rules.begin(), rules.end(),
                                 [](auto& x, auto& y) { return x.id < y.id; }));
}

TEST_CASE("Evaluate: every list of a selector must match, and an empty one matches all",
          "[unit][rules]") {
  Rule rule = ARate("base", 1, 100);
  rule.selector = {{PartnerId{7}}, {StoreId{70}}, {"food"}, {"sku-1"}};
  Points expected{0};
  SECTION("all match") {
    expected = Points{1};
  }
  SECTION("another partner") {
    rule.selector.partners = {PartnerId{8}};
  }
  SECTION("other stores") {
    rule.selector.stores = {StoreId{71}, StoreId{72}};
  }
  SECTION("another category") {
    rule.selector.categories = {"fuel"};
  }
  SECTION("another sku") {
    rule.selector.skus = {"sku-2"};
  }

  CHECK(Evaluate({1, {rule}}, ABasket({100})).total == expected);
}

TEST_CASE("Evaluate: a line with nothing paid or no rule says so", "[unit][rules]") {
  Rule rule = ARate("food", 1, 100);
  rule.selector.categories = {"food"};
  Basket basket = ABasket({0, 500});
  basket.lines[1].category = "fuel";

  const Award award = Evaluate({1, {rule}}, basket);

  CHECK(award.lines[0] == LineAward{Points{0}, 0, Why::kZeroAmount});
  CHECK(award.lines[1] == LineAward{Points{0}, std::nullopt, Why::kNoRule});
  CHECK(award.total == Points{0});
}

TEST_CASE("Evaluate: the largest basket at the best rate stays within a command",
          "[unit][rules][inv-10]") {
  const RuleSet rules{1, {ARate("base", kMaxAmount.value(), kMaxAmount.value())}};
  std::vector<int64_t> amounts(kMaxLines, kMaxAmount.value() / kMaxLines);
  REQUIRE(Validate(rules).ok());
  REQUIRE(Validate(ABasket(amounts)).ok());

  const Award award = Evaluate(rules, ABasket(amounts));

  CHECK(award.total == kMaxPointsPerCommand);
  CHECK(award.lines[0].points == Points{kMaxPointsPerCommand.value() / int64_t{kMaxLines}});
}

TEST_CASE("Evaluate: the lines' points sum to the total, each near its exact share",
          "[unit][rules][inv-25]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto up_to = [&](int64_t most) {
    return std::uniform_int_distribution<int64_t>(0, most)(random);
  };
  for (int round = 0; round < 2000; ++round) {
    RuleSet rules{1, {ARate("a", 1 + up_to(9), 10 + up_to(5000)), AnExclusion("x", "tobacco")}};
    rules.rules.push_back(ARate("b", 1 + up_to(9), 10 + up_to(500), 1));
    rules.rules[2].selector.categories = {"fuel"};
    Basket basket = ABasket(std::vector<int64_t>(1 + up_to(11)));
    for (Line& line : basket.lines) {
      line.amount = MinorUnits{up_to(round % 2 == 0 ? 3000 : 900'000'000)};
      line.category = std::vector<std::string_view>{"food", "fuel", "tobacco"}[up_to(2)];
    }
    REQUIRE(Validate(rules).ok());
    REQUIRE(Validate(basket).ok());

    const Award award = Evaluate(rules, basket);

    Points expected;
    for (const size_t rule : {0, 2}) {
      const auto& rate = std::get<BaseRate>(rules.rules[rule].effect);
      int64_t sum = 0;
      for (size_t i = 0; i < award.lines.size(); ++i) {
        if (award.lines[i].rule == rule) sum += basket.lines[i].amount.value();
      }
      const int64_t total = sum / rate.per_minor_units.value() * rate.points.value();
      expected += Points{total};
      for (size_t i = 0; i < award.lines.size(); ++i) {
        if (award.lines[i].why != Why::kEarned || award.lines[i].rule != rule) continue;
        const auto exact = static_cast<int64_t>(static_cast<__int128>(total) *
                                                basket.lines[i].amount.value() / sum);
        REQUIRE(award.lines[i].points >= Points{exact});
        REQUIRE(award.lines[i].points <= Points{exact + 1});
      }
    }
    const std::vector<int64_t> points = PointsOf(award);
    REQUIRE(award.total == expected);
    REQUIRE(std::accumulate(points.begin(), points.end(), int64_t{0}) == award.total.value());
  }
}

TEST_CASE("Explain: each line says what it earned and why", "[unit][rules]") {
  Rule base = ARate("base", 1, 1000);
  base.display_name = "Base rate";
  const auto explain = [&](const Basket& basket, std::vector<Rule> rules) {
    const CompiledRules compiled({1, std::move(rules)});
    const Award award = Evaluate(compiled.rule_set(), basket);
    return Explain(compiled, basket, {}, award, kEur, 2).lines;
  };
  const std::vector<Rule> rules = {base, AnExclusion("tobacco", "tobacco")};

  CHECK(explain(ABasket({2340}), rules) ==
        std::vector<std::string>{"2 points: 1 point per full 10.00 EUR "
                                 "of 23.40 EUR, rule 'Base rate'"});
  CHECK(explain(ABasket({1200, 900}), rules)[1] ==
        "1 of 2 points: 1 point per full 10.00 EUR of 21.00 EUR on 2 lines, rule 'Base rate'");
  CHECK(explain(ABasket({100}, "tobacco"), rules)[0] ==
        "0 points: excluded as tobacco goods, rule 'No tobacco'");
  CHECK(explain(ABasket({0}), rules)[0] == "0 points: nothing was paid for it, rule 'Base rate'");
  CHECK(explain(ABasket({1}), {})[0] == "0 points: no rule is for this line");
}

TEST_CASE("ReversalOfLine: five partial returns take what one takes", "[unit][rules][inv-37]") {
  Points reversed;
  for (int64_t before = 0; before < 5; ++before)
    reversed += ReversalOfLine(Points{2}, 5, before, 1);

  CHECK(reversed == Points{2});
  CHECK(ReversalOfLine(Points{2}, 5, 0, 5) == Points{2});
  CHECK(ReversalOfLine(Points{2}, 5, 0, 2) == Points{0});
  CHECK(ReversalOfLine(Points{2}, 5, 2, 1) == Points{1});
}

TEST_CASE("ReversalOfLine: any splitting takes the same, never more than was earned",
          "[unit][rules][inv-37][inv-38]") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto between = [&](int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  };
  for (int round = 0; round < 2000; ++round) {
    const Points earned{between(0, round % 2 == 0 ? 20 : kMaxPointsPerCommand.value())};
    const int64_t sold = between(1, round % 3 == 0 ? INT64_MAX : 50);
    Points reversed;
    int64_t before = 0;
    for (int step = 0; step < 8; ++step) {
      const int64_t now = between(0, sold - before);
      const Points part = ReversalOfLine(earned, sold, before, now);
      REQUIRE(part >= Points{0});
      reversed += part;
      before += now;
      REQUIRE(reversed == ReversalOfLine(earned, sold, 0, before));
      REQUIRE(reversed <= earned);
    }
    REQUIRE(reversed + ReversalOfLine(earned, sold, before, sold - before) == earned);
  }
}

TEST_CASE("Validate: a rule set is refused with the rule that is wrong", "[unit][rules]") {
  RuleSet rules{1, {ARate("base", 1, 100)}};
  REQUIRE(Validate(rules).ok());
  const auto reason = [&] { return ReasonOf(Validate(rules)); };

  SECTION("repeated id") {
    rules.rules.push_back(ARate("base", 2, 100));
    CHECK(reason() == Reason::kRequestMalformed);
  }
  SECTION("no id") {
    rules.rules[0].id.clear();
    CHECK(reason() == Reason::kRequestMalformed);
  }
  SECTION("no points") {
    rules.rules[0].effect = BaseRate{Points{0}, MinorUnits{100}};
    CHECK(reason() == Reason::kAmountOutOfRange);
  }
  SECTION("per nothing") {
    rules.rules[0].effect = BaseRate{Points{1}, MinorUnits{0}};
    CHECK(reason() == Reason::kAmountOutOfRange);
  }
  SECTION("more than a point for a minor unit") {
    rules.rules[0].effect = BaseRate{Points{2}, MinorUnits{1}};
    CHECK(reason() == Reason::kAmountOutOfRange);
  }
  SECTION("too many rules") {
    while (rules.rules.size() <= kMaxRules) {
      rules.rules.push_back(ARate(std::to_string(rules.rules.size()), 1, 100));
    }
    CHECK(reason() == Reason::kRequestMalformed);
  }
  SECTION("an empty category") {
    rules.rules[0].selector.categories = {""};
    CHECK(reason() == Reason::kRequestMalformed);
  }
}

TEST_CASE("Validate: a basket is refused when a line cannot be awarded", "[unit][rules]") {
  Basket basket = ABasket({100, 200});
  REQUIRE(Validate(basket).ok());
  const auto reason = [&] { return ReasonOf(Validate(basket)); };

  SECTION("no lines") {
    basket.lines.clear();
    CHECK(reason() == Reason::kRequestMalformed);
  }
  SECTION("more tax than the amount") {
    basket.lines[1].tax = MinorUnits{201};
    CHECK(reason() == Reason::kAmountOutOfRange);
  }
  SECTION("more paid with points than the lines cost") {
    basket.paid_with_points = MinorUnits{301};
    CHECK(reason() == Reason::kAmountOutOfRange);
  }
  SECTION("negative amount") {
    basket.lines[1].amount = MinorUnits{-1};
    CHECK(reason() == Reason::kAmountOutOfRange);
  }
  SECTION("no quantity") {
    basket.lines[1].quantity = 0;
    CHECK(reason() == Reason::kAmountOutOfRange);
  }
  SECTION("a sum above the limit") {
    basket.lines[0].amount = kMaxAmount;
    CHECK(reason() == Reason::kAmountOutOfRange);
  }
}

}  // namespace
}  // namespace guilder::rules
