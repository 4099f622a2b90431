// Rules of all kinds at work: caps and budgets over purchases, quotes, explanations, what-if.
#include <future>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/rule_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "services/accrual/rpc/rule_service.h"
#include "tests/service/accrual_world.h"
#include "tests/support/invariants.h"

namespace guilder::accrual {
namespace {

using Rules = v1::RuleService::Stub;

v1::EarnRule& AddRule(v1::RuleSet& set, const std::string& id) {
  v1::EarnRule& rule = *set.add_rules();
  rule.set_rule_id(id);
  rule.set_display_name("Rule " + id);
  return rule;
}

v1::Cap& AddCap(v1::RuleSet& set, const std::string& id, v1::CapScope scope, v1::CapPeriod period,
                int64_t points) {
  v1::Cap& cap = *set.add_caps();
  cap.set_cap_id(id);
  cap.set_display_name("Cap " + id);
  cap.set_scope(scope);
  cap.set_period(period);
  cap.set_points(points);
  return cap;
}

// 1 point per full euro.
v1::RuleSet ASet() {
  v1::RuleSet set;
  v1::EarnRule& base = AddRule(set, "base");
  base.mutable_base_rate()->set_points(1);
  base.mutable_base_rate()->set_per_minor_units(100);
  return set;
}

struct EarningWorld {
  EarningWorld() {
    auto rules = MakeRuleService(
        {coalition.network().runtime(), coalition.network().pool(), coalition.network().secrets()});
    REQUIRE(rules.ok());
    coalition.network().Add(*std::move(rules), kRuleServiceName);
    coalition.network().Add(
        MakeAccrualService({coalition.network().runtime(), coalition.network().pool(),
                            coalition.lanes(), coalition.cards(), coalition.network().secrets()}),
        kAccrualServiceName);
    coalition.network().Start();
    card = coalition.AMember();
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> AsOperator(const std::string& by,
                                      grpc::Status (Rules::*method)(grpc::ClientContext*,
                                                                    const Request&, Response*),
                                      const Request& request) const {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return clients::Client<v1::RuleService>(coalition.network().AsOperator(by))
        .Invoke(method, request, once);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> AsPartner(grpc::Status (Stub::*method)(grpc::ClientContext*,
                                                                  const Request&, Response*),
                                     const Request& request) const {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return clients::Client<v1::AccrualService>(coalition.AsPartner("fresh"))
        .Invoke(method, request, once);
  }

  std::string Propose(const v1::RuleSet& set) const {
    v1::ProposeRuleSetRequest request;
    *request.mutable_rule_set() = set;
    *request.mutable_rule_set()->mutable_effective_from() =
        rpc::ToProto(coalition.Now() - Timestamp(2 * kDay));
    const auto proposed = AsOperator("anna", &Rules::ProposeRuleSet, request);
    if (!proposed.ok()) FAIL(proposed.status().ToString());
    return proposed->rule_set().name();
  }
  void PutInForce(const v1::RuleSet& set) const {
    v1::ApproveRuleSetRequest request;
    request.set_name(Propose(set));
    const absl::Status approved = AsOperator("bert", &Rules::ApproveRuleSet, request).status();
    if (!approved.ok()) FAIL(approved.ToString());
  }

  // A purchase of so many euros, half an hour ago, on one line.
  v1::RecordPurchaseRequest APurchase(int64_t euros, const std::string& of = "") const {
    v1::RecordPurchaseRequest request;
    request.set_request_id(clients::NewRequestId());
    request.mutable_receipt()->set_store("partners/fresh/stores/s1");
    request.mutable_receipt()->set_order_id(clients::NewRequestId());
    request.set_card_number(of.empty() ? card : of);
    *request.mutable_occurred_at() = rpc::ToProto(coalition.Now() - Timestamp(1'800'000'000));
    request.set_currency_code("EUR");
    v1::PurchaseLine& line = *request.add_lines();
    line.set_quantity(1);
    line.set_sku("milk");
    line.set_amount_minor_units(euros * 100);
    return request;
  }
  v1::RecordPurchaseResponse Buy(const v1::RecordPurchaseRequest& request) const {
    const auto answer = AsPartner(&Stub::RecordPurchase, request);
    if (!answer.ok()) FAIL(answer.status().ToString());
    return *answer;
  }
  static v1::QuotePurchaseRequest ToQuote(const v1::RecordPurchaseRequest& purchase) {
    v1::QuotePurchaseRequest request;
    request.set_store(purchase.receipt().store());
    request.set_card_number(purchase.card_number());
    request.set_currency_code("EUR");
    *request.mutable_lines() = purchase.lines();
    *request.mutable_tenders() = purchase.tenders();
    return request;
  }
  v1::QuotePurchaseResponse Quote(const v1::RecordPurchaseRequest& purchase) const {
    const auto quote = AsPartner(&Stub::QuotePurchase, ToQuote(purchase));
    if (!quote.ok()) FAIL(quote.status().ToString());
    return *quote;
  }
  v1::ExplainPurchaseResponse Explain(const std::string& purchase) const {
    v1::ExplainPurchaseRequest request;
    request.set_name(purchase);
    const auto explained = AsPartner(&Stub::ExplainPurchase, request);
    if (!explained.ok()) FAIL(explained.status().ToString());
    return *explained;
  }
  int64_t Count(const std::string& sql) const { return coalition.database().Query(sql)[0].Int(0); }

  mutable testing::Coalition coalition;
  std::string card;
};

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
