// How many baskets of ten lines a core evaluates in a second under 100 rules of all kinds.
//
//     build/release/tests/rules_bench [SECONDS OF PROCESSOR TIME]
//
// The rules are those of a grocer in a coalition: 30 are for other partners or stores, 20 are for
// single articles, the others for categories, tiers, hours and campaigns; some thirty apply to a
// basket, and a dozen give points. Every basket differs from the one before it.
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/rules/evaluate.h"

namespace guilder::rules {
namespace {

constexpr PartnerId kGrocer{7};
constexpr StoreId kStore{70};
constexpr size_t kBaskets = 512;

Rule& Add(RuleSet& set, Effect effect, int32_t priority) {
  const std::string id = absl::StrCat("rule-", set.rules.size());
  set.rules.push_back({id, id, priority, {}, std::move(effect)});
  return set.rules.back();
}

void AddRulesOfOthers(RuleSet& set) {
  for (int i = 0; i < 20; ++i) {
    Add(set, BaseRate{Points{1}, MinorUnits{100}}, 1).selector.partners = {PartnerId{100 + i}};
  }
  for (int i = 0; i < 10; ++i) {
    Add(set, Multiplier{2, 1}, i).selector.stores = {StoreId{700 + i}};
  }
}

void AddRulesOfArticles(RuleSet& set) {
  for (int i = 0; i < 20; ++i) {
    Rule& rule = Add(set, ProductBonus{Points{5 + i}, 1 + i % 3}, i);
    rule.selector.partners = {kGrocer};
    rule.selector.skus = {absl::StrCat("sku-", i * 7)};
  }
  for (int i = 0; i < 10; ++i) {
    Rule& rule = Add(set, Exclusion{"not for points"}, i);
    rule.selector.categories = {absl::StrCat("category-", 90 + i)};
  }
  Add(set, BaseRate{Points{1}, MinorUnits{1'000}}, 10).selector.partners = {kGrocer};
  for (int i = 0; i < 9; ++i) {
    Rule& rule = Add(set, BaseRate{Points{2}, MinorUnits{1'000}, Rounding::kPerLine}, 20 + i);
    rule.selector.categories = {absl::StrCat("category-", i)};
    rule.basis = {i % 2 == 0, i % 3 == 0};
  }
}

void AddCampaigns(RuleSet& set) {
  set.caps = {{"member-day", "A day", CapScope::kMember, CapPeriod::kDay, Points{500}},
              {"campaign", "Campaign", CapScope::kCampaign, CapPeriod::kEver, Points{1'000'000}},
              {"receipt", "A receipt", CapScope::kReceipt, CapPeriod::kEver, Points{200}}};
  for (int i = 0; i < 10; ++i) {
    Rule& rule = Add(set, Multiplier{3 + i, 2}, i);
    rule.conditions.tiers = {i % 2 == 0 ? "gold" : "platinum"};
    if (i % 3 == 0) rule.group = "tier";
    rule.caps = {"receipt", "member-day"};
  }
  for (int i = 0; i < 10; ++i) {
    Rule& rule = Add(set, Multiplier{2, 1, Multiplicand::kPointsSoFar}, i);
    rule.conditions.windows = {{static_cast<uint8_t>(1 << i % 7), 8 * 60, 20 * 60}};
    rule.conditions.valid_from = absl::CivilSecond(2026, 1 + i, 1);
    rule.selector.categories = {absl::StrCat("category-", i)};
    rule.caps = {"campaign"};
  }
  for (int i = 0; i < 10; ++i) {
    Rule& rule = Add(set, FixedBonus{Points{10 + i}}, i);
    rule.conditions.min_amount = MinorUnits{1'000 * i};
    rule.caps = {"receipt"};
    if (i % 4 == 0) rule.conditions.first_purchase = FirstPurchase::kAtPartner;
    if (i % 4 == 1) rule.conditions.segments = {"parents"};
  }
}

// Texts that baskets point to.
struct Articles {
  std::vector<std::string> skus;
  std::vector<std::string> categories;

  Articles() {
    for (int i = 0; i < 200; ++i) skus.push_back(absl::StrCat("sku-", i));
    for (int i = 0; i < 100; ++i) categories.push_back(absl::StrCat("category-", i));
  }
};

std::vector<Basket> MakeBaskets(const Articles& articles) {
  absl::TimeZone zone;
  absl::LoadTimeZone("Europe/Berlin", &zone);
  std::vector<Basket> baskets;
  uint64_t random = 42;
  const auto below = [&random](uint64_t n) {
    random = random * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    return static_cast<int64_t>((random >> 33) % n);
  };
  for (size_t i = 0; i < kBaskets; ++i) {
    Basket basket{kGrocer, kStore, Timestamp(1'780'000'000'000'000 + below(20'000'000) * 1'000'000),
                  {},      zone,   MinorUnits(below(500))};
    for (int line = 0; line < 10; ++line) {
      const MinorUnits amount(100 + below(2'900));
      basket.lines.push_back({articles.skus[below(200)], articles.categories[below(100)],
                              1 + below(4), amount, MinorUnits(amount.value() / 6)});
    }
    baskets.push_back(std::move(basket));
  }
  return baskets;
}

int Measure(double seconds) {
  RuleSet set;
  set.version = 1;
  AddRulesOfOthers(set);
  AddRulesOfArticles(set);
  AddCampaigns(set);
  if (const absl::Status valid = Validate(set); !valid.ok() || set.rules.size() != 100) {
    std::cerr << set.rules.size() << " rules: " << valid << "\n";
    return 1;
  }
  const CompiledRules rules(set);
  const Articles articles;
  const std::vector<Basket> baskets = MakeBaskets(articles);
  Facts facts;
  facts.member.tier = "gold";
  facts.member.segments = {"parents"};
  facts.member.first_at_partner = true;
  facts.caps_left = {Points{500}, Points{1'000'000}};

  Workspace workspace;
  Award award;
  // Of this process alone: others may use the machine meanwhile.
  const std::clock_t start = std::clock();
  double elapsed = 0;
  int64_t evaluations = 0;
  int64_t points = 0;
  int64_t fired = 0;
  while (elapsed < seconds) {
    for (const Basket& basket : baskets) {
      Evaluate(rules, basket, facts, workspace, award);
      points += award.total.value();
      fired += static_cast<int64_t>(award.rules.size());
    }
    evaluations += kBaskets;
    elapsed = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  }
  std::cout << static_cast<int64_t>(static_cast<double>(evaluations) / elapsed)
            << " evaluations a second of processor time; each of ten lines under 100 rules, "
            << fired / evaluations << " rules fired, " << points / evaluations << " points\n";
  return 0;
}

}  // namespace
}  // namespace guilder::rules

int main(int argc, char** argv) {
  return guilder::rules::Measure(argc > 1 ? std::atof(argv[1]) : 2.0);
}
