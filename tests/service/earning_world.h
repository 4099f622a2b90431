// Accrual and its rules over a coalition, and what tests of earning and returns ask of them.
#pragma once

#include <functional>
#include <string>

#include "guilder/accrual/v1/rule_service.grpc.pb.h"

#include "services/accrual/rpc/rule_service.h"
#include "tests/service/accrual_world.h"

namespace guilder::accrual {

using Rules = v1::RuleService::Stub;

inline v1::EarnRule& AddRule(v1::RuleSet& set, const std::string& id) {
  v1::EarnRule& rule = *set.add_rules();
  rule.set_rule_id(id);
  rule.set_display_name("Rule " + id);
  return rule;
}

inline v1::Cap& AddCap(v1::RuleSet& set, const std::string& id, v1::CapScope scope,
                       v1::CapPeriod period, int64_t points) {
  v1::Cap& cap = *set.add_caps();
  cap.set_cap_id(id);
  cap.set_display_name("Cap " + id);
  cap.set_scope(scope);
  cap.set_period(period);
  cap.set_points(points);
  return cap;
}

// 1 point per full euro.
inline v1::RuleSet ASet() {
  v1::RuleSet set;
  v1::EarnRule& base = AddRule(set, "base");
  base.mutable_base_rate()->set_points(1);
  base.mutable_base_rate()->set_per_minor_units(100);
  return set;
}

struct EarningWorld {
  // `add` gives the network other services besides, before it starts.
  explicit EarningWorld(const std::function<void(testing::Coalition&)>& add = {}) {
    if (add) add(coalition);
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

}  // namespace guilder::accrual
