// Rules of all kinds at work: caps and budgets over purchases, quotes, explanations, what-if.
#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "tests/service/earning_world.h"
#include "tests/support/invariants.h"

namespace guilder::accrual {
namespace {

TEST_CASE("Cap: a member's day is trimmed, not refused, and the explanation shows the cap",
          "[service][accrual][inv-26]") {
  const EarningWorld world;
  v1::RuleSet set = ASet();
  AddCap(set, "day", v1::CAP_SCOPE_MEMBER, v1::CAP_PERIOD_DAY, 50);
  set.mutable_rules(0)->add_caps("day");
  world.PutInForce(set);

  CHECK(world.Buy(world.APurchase(30)).points() == 30);
  const auto second = world.Buy(world.APurchase(30));
  CHECK(second.points() == 20);
  CHECK(second.trimmed_points() == 10);
  CHECK(world.Buy(world.APurchase(30)).points() == 0);
  CHECK(world.Buy(world.APurchase(30, world.coalition.AMember())).points() == 30);
  auto earlier = world.APurchase(30);
  *earlier.mutable_occurred_at() =
      rpc::ToProto(world.coalition.Now() - Timestamp(kDay + 1'800'000'000));
  CHECK(world.Buy(earlier).points() == 30);

  const auto explained = world.Explain(second.name());
  REQUIRE(explained.rules_size() == 1);
  CHECK(explained.rules(0).outcome() == "FIRED");
  CHECK(explained.rules(0).raw_points() == 30);
  CHECK(explained.rules(0).points() == 20);
  CHECK(explained.rules(0).trimmed_by() == "day");
  CHECK(explained.rules(0).text() ==
        "20 points: 1 point per full 1.00 EUR of 30.00 EUR; it would be 30 points, but the cap "
        "'Cap day' leaves 20");
  CheckInvariants(world.coalition.database());
}

TEST_CASE("Cap: purchases of one member that come together are counted one after the other",
          "[service][accrual][inv-26]") {
  const EarningWorld world;
  v1::RuleSet set = ASet();
  AddCap(set, "week", v1::CAP_SCOPE_MEMBER, v1::CAP_PERIOD_WEEK, 95);
  set.mutable_rules(0)->add_caps("week");
  world.PutInForce(set);

  std::vector<std::future<absl::StatusOr<v1::RecordPurchaseResponse>>> answers;
  for (int i = 0; i < 16; ++i) {
    answers.push_back(std::async(std::launch::async, [&world] {
      return world.AsPartner(&Stub::RecordPurchase, world.APurchase(10));
    }));
  }
  int64_t points = 0;
  for (auto& answer : answers) {
    const auto bought = answer.get();
    REQUIRE(bought.ok());
    points += bought->points();
  }

  CHECK(points == 95);
  CheckInvariants(world.coalition.database());
}

TEST_CASE("Budget: members in several books spend it to the last point, and never more",
          "[service][accrual][inv-26][inv-27]") {
  const EarningWorld world;
  v1::RuleSet set = ASet();
  AddCap(set, "summer", v1::CAP_SCOPE_CAMPAIGN, v1::CAP_PERIOD_EVER, 105);
  v1::EarnRule& bonus = AddRule(set, "bonus");
  bonus.mutable_fixed_bonus()->set_points(10);
  bonus.add_caps("summer");
  world.PutInForce(set);
  std::vector<std::string> cards;
  for (int i = 0; i < 6; ++i) cards.push_back(world.coalition.AMember());

  std::vector<std::future<absl::StatusOr<v1::RecordPurchaseResponse>>> answers;
  for (int i = 0; i < 30; ++i) {
    answers.push_back(std::async(std::launch::async, [&world, &cards, i] {
      return world.AsPartner(&Stub::RecordPurchase,
                             world.APurchase(1, cards[static_cast<size_t>(i) % cards.size()]));
    }));
  }
  int64_t bonus_points = 0;
  std::string trimmed;
  for (auto& answer : answers) {
    const auto bought = answer.get();
    REQUIRE(bought.ok());
    bonus_points += bought->points() - 1;
    if (bought->points() == 6) trimmed = bought->name();
  }

  CHECK(bonus_points == 105);
  REQUIRE_FALSE(trimmed.empty());
  CHECK(world.Explain(trimmed).rules(1).trimmed_by() == "summer");
  // What is left is nothing; a later version may grant more.
  CHECK(world.Buy(world.APurchase(1)).points() == 1);
  set.mutable_caps(0)->set_points(109);
  world.PutInForce(set);
  CHECK(world.Buy(world.APurchase(1)).points() == 5);
  CHECK(world.Buy(world.APurchase(1)).points() == 1);
  CheckInvariants(world.coalition.database());
}

TEST_CASE("FirstPurchase: its bonus is given once", "[service][accrual]") {
  const EarningWorld world;
  v1::RuleSet set = ASet();
  v1::EarnRule& bonus = AddRule(set, "welcome");
  bonus.mutable_fixed_bonus()->set_points(100);
  bonus.mutable_conditions()->set_first_purchase(v1::FIRST_PURCHASE_AT_PARTNER);
  world.PutInForce(set);

  CHECK(world.Quote(world.APurchase(1)).points() == 101);
  const auto first = world.Buy(world.APurchase(1));
  CHECK(first.points() == 101);
  const auto second = world.Buy(world.APurchase(1));
  CHECK(second.points() == 1);
  CHECK(world.Explain(first.name()).rules(1).outcome() == "FIRED");
  CHECK(world.Explain(second.name()).rules(1).outcome() == "FIRST_PURCHASE");
  CHECK(world.Explain(second.name()).rules(1).text() ==
        "no points: it is for the first purchase only");
  CheckInvariants(world.coalition.database());
}

TEST_CASE("Tenders: what was paid with points does not earn where the rule says so",
          "[service][accrual][inv-24]") {
  const EarningWorld world;
  v1::RuleSet set = ASet();
  set.mutable_rules(0)->mutable_base_rate()->set_per_minor_units(1'000);
  set.mutable_rules(0)->mutable_basis()->set_without_paid_with_points(true);
  world.PutInForce(set);
  auto request = world.APurchase(1'000);
  v1::Tender& points = *request.add_tenders();
  points.set_kind(v1::TENDER_KIND_POINTS);
  points.set_amount_minor_units(20'000);

  CHECK(ReasonOf(world.AsPartner(&Stub::RecordPurchase, request).status()) ==
        Reason::kAmountOutOfRange);
  v1::Tender& money = *request.add_tenders();
  money.set_kind(v1::TENDER_KIND_MONEY);
  money.set_amount_minor_units(80'000);
  const auto bought = world.Buy(request);
  CHECK(bought.points() == 80);
  CHECK(world.Explain(bought.name()).rules(0).input() == 80'000);
  CheckInvariants(world.coalition.database());
}

TEST_CASE("QuotePurchase: it tells a till all it needs, and changes nothing",
          "[service][accrual][inv-21]") {
  const EarningWorld world;
  v1::RuleSet set = ASet();
  AddCap(set, "day", v1::CAP_SCOPE_MEMBER, v1::CAP_PERIOD_DAY, 50);
  AddCap(set, "budget", v1::CAP_SCOPE_CAMPAIGN, v1::CAP_PERIOD_MONTH, 60);
  set.mutable_rules(0)->add_caps("day");
  set.mutable_rules(0)->add_caps("budget");
  world.PutInForce(set);
  world.Buy(world.APurchase(20));
  const std::string state =
      "select (select count(*) from ledger.journal) + (select sum(points) from accrual.counters) + "
      "(select count(*) from accrual.used_quotes) + (select sum(pool) from ledger.limits) + "
      "(select sum(remaining) from ledger.allowances)";
  const int64_t before = world.Count(state);

  const auto quote = world.Quote(world.APurchase(45));

  CHECK(quote.points() == 30);
  CHECK(quote.rules(0).trimmed_by() == "day");
  CHECK(quote.lines_size() == 1);
  CHECK(quote.member().pending_points() == 20);
  CHECK(quote.member().spendable_points() == 0);
  CHECK_FALSE(quote.quote_token().empty());
  CHECK(world.Quote(world.APurchase(45, world.coalition.AMember())).points() == 40);
  CHECK(world.Count(state) == before + 1);  // The member that was opened just now.
  auto another = EarningWorld::ToQuote(world.APurchase(1));
  another.set_store("partners/books/stores/s1");
  CHECK(ReasonOf(world.AsPartner(&Stub::QuotePurchase, another).status()) == Reason::kNotYours);
  CheckInvariants(world.coalition.database());
}

TEST_CASE("Quote: it is honoured inside its time though the rules changed, once",
          "[service][accrual][inv-20]") {
  EarningWorld world;
  v1::RuleSet set = ASet();
  v1::EarnRule& bonus = AddRule(set, "double");
  bonus.mutable_multiplier()->set_numerator(2);
  world.PutInForce(set);
  auto request = world.APurchase(30);
  const auto quote = world.Quote(request);
  CHECK(quote.points() == 60);
  world.PutInForce(ASet());

  request.set_quote_token(quote.quote_token());
  const auto bought = world.Buy(request);
  CHECK(bought.points() == 60);
  CHECK(bought.quote_outcome() == v1::QUOTE_OUTCOME_HONOURED);
  CHECK(bought.quoted_points() == 60);
  CHECK(world.Explain(bought.name()).rules_size() == 2);
  // The same request again is a repeat; another one may not use the token.
  CHECK(world.Buy(request).name() == bought.name());
  auto again = world.APurchase(30);
  again.set_quote_token(quote.quote_token());
  CHECK(ReasonOf(world.AsPartner(&Stub::RecordPurchase, again).status()) == Reason::kQuoteUsed);
  // Another basket, or a token that was changed.
  auto other = world.APurchase(31);
  other.set_quote_token(quote.quote_token());
  CHECK(ReasonOf(world.AsPartner(&Stub::RecordPurchase, other).status()) == Reason::kQuoteInvalid);
  again.set_quote_token("A" + quote.quote_token());
  CHECK(ReasonOf(world.AsPartner(&Stub::RecordPurchase, again).status()) == Reason::kQuoteInvalid);
  CheckInvariants(world.coalition.database());
}

TEST_CASE("Quote: after its time the answer has what is in force, and the difference",
          "[service][accrual][inv-20]") {
  EarningWorld world;
  v1::RuleSet set = ASet();
  AddRule(set, "bonus").mutable_fixed_bonus()->set_points(7);
  world.PutInForce(set);
  auto request = world.APurchase(30);
  request.set_quote_token(world.Quote(request).quote_token());
  world.PutInForce(ASet());
  world.coalition.network().MoveClock(6 * 60 * kMicrosPerSecond);

  const auto bought = world.Buy(request);

  CHECK(bought.quote_outcome() == v1::QUOTE_OUTCOME_EXPIRED);
  CHECK(bought.quoted_points() == 37);
  CHECK(bought.points() == 30);
  CheckInvariants(world.coalition.database());
}

TEST_CASE("Quote: of purchases that come with one token at once, one is recorded",
          "[service][accrual][inv-20]") {
  const EarningWorld world;
  const auto quote = world.Quote(world.APurchase(30));

  std::vector<std::future<absl::StatusOr<v1::RecordPurchaseResponse>>> answers;
  for (int i = 0; i < 12; ++i) {
    answers.push_back(std::async(std::launch::async, [&world, &quote] {
      auto request = world.APurchase(30);
      request.set_quote_token(quote.quote_token());
      return world.AsPartner(&Stub::RecordPurchase, request);
    }));
  }
  int recorded = 0;
  int used = 0;
  for (auto& answer : answers) {
    const auto bought = answer.get();
    recorded += bought.ok() ? 1 : 0;
    used += ReasonOf(bought.status()) == Reason::kQuoteUsed ? 1 : 0;
  }

  CHECK(recorded == 1);
  CHECK(used == 11);
  CheckInvariants(world.coalition.database());
}

TEST_CASE("ExplainPurchase: for each rule who pays, and for the points their lot and dates",
          "[service][accrual]") {
  const EarningWorld world;
  v1::RuleSet set = ASet();
  v1::EarnRule& bonus = AddRule(set, "brand");
  bonus.mutable_fixed_bonus()->set_points(10);
  v1::FunderShare& share = *bonus.mutable_funding()->add_shares();
  share.mutable_funder()->set_kind(v1::FUNDER_KIND_BRAND);
  share.mutable_funder()->set_brand("partners/books");
  share.set_share_ppm(666'666);
  bonus.mutable_funding()->mutable_remainder()->set_kind(v1::FUNDER_KIND_OPERATOR);
  v1::EarnRule& gold = AddRule(set, "gold");
  gold.mutable_multiplier()->set_numerator(2);
  gold.mutable_conditions()->add_tiers("gold");
  world.PutInForce(set);
  const auto bought = world.Buy(world.APurchase(30));

  const auto explained = world.Explain(bought.name());

  REQUIRE(explained.rules_size() == 3);
  CHECK(explained.rules(0).funded(0).partner() == "partners/fresh");
  CHECK(explained.rules(1).rule() == "brand");
  REQUIRE(explained.rules(1).funded_size() == 2);
  CHECK(explained.rules(1).funded(0).partner() == "partners/books");
  CHECK(explained.rules(1).funded(0).points() == 6);
  CHECK(explained.rules(1).funded(1).partner() == "partners/house");
  CHECK(explained.rules(1).funded(1).points() == 4);
  CHECK(explained.rules(2).outcome() == "TIER");
  CHECK(explained.issuer() == "partners/fresh");
  CHECK(explained.lot().rfind("lots/", 0) == 0);
  CHECK(explained.has_activates_at());
  CHECK(explained.has_expires_at());
  CHECK(explained.rule_set() == "ruleSets/2");
  CheckInvariants(world.coalition.database());
}

TEST_CASE(
    "Exposure: near its limit a partner gives base points, no bonuses, and says so later, too",
    "[service][accrual][inv-87]") {
  const EarningWorld world;
  v1::RuleSet set = ASet();
  AddRule(set, "bonus").mutable_fixed_bonus()->set_points(50);
  world.PutInForce(set);
  CHECK(world.Buy(world.APurchase(20)).points() == 70);
  world.coalition.database().Query(
      "insert into partner.exposure_states (partner_id, stage, since_us) "
      "select partner_id, 'NO_BONUS', 1 from partner.partners where slug = 'fresh'");
  world.coalition.database().Query("update ledger.configuration set version = version + 1");

  const v1::RecordPurchaseResponse bought = world.Buy(world.APurchase(20));

  CHECK(bought.points() == 20);
  CHECK(bought.bonuses_withheld());
  CHECK(world.Quote(world.APurchase(20)).points() == 20);
  // The partner has paid since; what was given then is explained as it was then.
  world.coalition.database().Query("delete from partner.exposure_states");
  world.coalition.database().Query("update ledger.configuration set version = version + 1");
  CHECK(world.Buy(world.APurchase(20)).points() == 70);
  const v1::ExplainPurchaseResponse explained = world.Explain(bought.name());
  REQUIRE(explained.rules_size() == 2);
  CHECK(explained.rules(1).outcome() == "NO_BONUSES");
  testing::CheckInvariants(world.coalition.database());
}

TEST_CASE("SimulateRuleSet: points by rule before and after, and nothing changes",
          "[service][rules]") {
  const EarningWorld world;
  world.PutInForce(ASet());
  for (int i = 0; i < 5; ++i) world.Buy(world.APurchase(10));
  v1::RuleSet set = ASet();
  set.mutable_rules(0)->mutable_base_rate()->set_points(2);
  AddCap(set, "day", v1::CAP_SCOPE_MEMBER, v1::CAP_PERIOD_DAY, 75);
  set.mutable_rules(0)->add_caps("day");
  v1::EarnRule& bonus = AddRule(set, "bonus");
  bonus.mutable_fixed_bonus()->set_points(3);
  const int64_t records = world.Count("select count(*) from ledger.journal");
  v1::SimulateRuleSetRequest request;
  request.set_name(world.Propose(set));
  *request.mutable_from() = rpc::ToProto(world.coalition.Now() - Timestamp(kDay));

  const auto simulated = world.AsOperator("auditor", &Rules::SimulateRuleSet, request);

  REQUIRE(simulated.ok());
  CHECK(simulated->purchases() == 5);
  CHECK(simulated->points_before() == 50);
  CHECK(simulated->points_after() == 75 + 15);
  CHECK(simulated->purchases_with_more() == 4);
  CHECK(simulated->purchases_with_less() == 1);
  REQUIRE(simulated->rules_size() == 2);
  CHECK(simulated->rules(0).rule_id() == "base");
  CHECK(simulated->rules(0).points_before() == 50);
  CHECK(simulated->rules(0).points_after() == 75);
  CHECK(simulated->rules(0).trimmed_after() == 25);
  CHECK(simulated->rules(1).points_after() == 15);
  CHECK(world.Count("select count(*) from ledger.journal") == records);
  request.set_partner("partners/books");
  CHECK(world.AsOperator("auditor", &Rules::SimulateRuleSet, request)->purchases() == 0);
  request.set_partner("partners/nobody");
  CHECK(ReasonOf(world.AsOperator("auditor", &Rules::SimulateRuleSet, request).status()) ==
        Reason::kPartnerNotFound);
  request.set_name("ruleSets/99");
  CHECK(ReasonOf(world.AsOperator("auditor", &Rules::SimulateRuleSet, request).status()) ==
        Reason::kRuleSetNotFound);
}

}  // namespace
}  // namespace guilder::accrual
