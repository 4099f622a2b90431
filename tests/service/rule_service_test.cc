#include "services/accrual/rpc/rule_service.h"

#include <optional>
#include <string>
#include <vector>

#include "guilder/accrual/v1/rule_service.grpc.pb.h"

#include "libs/clients/client.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/store/rule_codec.h"
#include "services/accrual/store/rule_sets.h"
#include "tests/support/catch2.h"
#include "tests/support/service_network.h"

namespace guilder::accrual {
namespace {

using testing::InDays;
using testing::ServiceNetwork;
using Stub = v1::RuleService::Stub;

v1::EarnRule& AddBaseRate(v1::RuleSet& rule_set, const std::string& id) {
  v1::EarnRule& rule = *rule_set.add_rules();
  rule.set_rule_id(id);
  rule.set_display_name("Base rate");
  rule.mutable_base_rate()->set_points(1);
  rule.mutable_base_rate()->set_per_minor_units(100);
  return rule;
}

v1::ProposeRuleSetRequest AProposal(Timestamp from) {
  v1::ProposeRuleSetRequest request;
  v1::RuleSet& rule_set = *request.mutable_rule_set();
  *rule_set.mutable_effective_from() = rpc::ToProto(from);
  AddBaseRate(rule_set, "base");
  v1::EarnRule& exclusion = *rule_set.add_rules();
  exclusion.set_rule_id("no-gift-cards");
  exclusion.set_display_name("No points for gift cards");
  exclusion.set_priority(5);
  exclusion.mutable_selector()->add_partners("partners/fresh");
  exclusion.mutable_selector()->add_stores("partners/fresh/stores/s1");
  exclusion.mutable_selector()->add_categories("GIFT CARDS");
  exclusion.mutable_selector()->add_skus("4711");
  exclusion.mutable_exclusion()->set_reason("gift cards");
  return request;
}

struct World {
  explicit World(const std::string& mode = "DEVELOPMENT") : network(OfMode(mode)) {
    network.database().Query(
        "insert into partner.partners (slug, programme_id, display_name, state) "
        "values ('fresh', 1, 'Fresh', 'ACTIVE')");
    network.database().Query(
        "insert into partner.stores (partner_id, code, display_name, time_zone) "
        "select partner_id, 's1', 'Market', 'UTC' from partner.partners");
    auto service = MakeRuleService({network.runtime(), network.pool(), network.secrets()});
    REQUIRE(service.ok());
    network.Add(*std::move(service), kRuleServiceName);
    network.Start();
  }
  static ServiceNetwork::Options OfMode(const std::string& mode) {
    ServiceNetwork::Options options;
    options.mode = mode;
    return options;
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> Try(const std::string& by,
                               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                            Response*),
                               const Request& request) const {
    clients::RetryPolicy once;
    once.max_attempts = 1;
    return clients::Client<v1::RuleService>(network.AsOperator(by)).Invoke(method, request, once);
  }
  std::string Propose(const v1::ProposeRuleSetRequest& request) const {
    const auto proposed = Try("anna", &Stub::ProposeRuleSet, request);
    if (!proposed.ok()) FAIL(proposed.status().ToString());
    return proposed->rule_set().name();
  }
  absl::Status Approve(const std::string& name, const std::string& by = "bert") const {
    v1::ApproveRuleSetRequest request;
    request.set_name(name);
    return Try(by, &Stub::ApproveRuleSet, request).status();
  }

  ServiceNetwork network;
};

TEST_CASE("RuleService: what was proposed is approved by another and read as it was",
          "[service][rules]") {
  const World world;
  const v1::ProposeRuleSetRequest proposal = AProposal(InDays(1));
  const std::string name = world.Propose(proposal);
  CHECK(name == "ruleSets/1");
  const int64_t version = world.network.ConfigurationVersion();
  CHECK(ReasonOf(world.Approve(name, "anna")) == Reason::kSamePerson);
  CHECK(world.network.ConfigurationVersion() == version);
  CHECK(world.Approve(name).ok());
  CHECK(world.network.ConfigurationVersion() == version + 1);

  v1::GetRuleSetRequest request;
  request.set_name(name);
  const auto read = world.Try("auditor", &Stub::GetRuleSet, request);
  REQUIRE(read.ok());
  CHECK(read->rule_set().state() == v1::RULE_SET_STATE_APPROVED);
  CHECK(read->rule_set().proposed_by() == "anna");
  CHECK(read->rule_set().approved_by() == "bert");
  CHECK(rpc::FromProto(read->rule_set().effective_from()) ==
        rpc::FromProto(proposal.rule_set().effective_from()));
  REQUIRE(read->rule_set().rules_size() == 2);
  CHECK(read->rule_set().rules(1).SerializeAsString() ==
        proposal.rule_set().rules(1).SerializeAsString());
}

TEST_CASE("RuleService: approved rules are what lanes evaluate", "[service][rules]") {
  World world;
  const std::string late = world.Propose(AProposal(InDays(20)));
  const std::string early = world.Propose(AProposal(InDays(10)));
  world.Propose(AProposal(InDays(5)));
  REQUIRE(world.Approve(late).ok());
  REQUIRE(world.Approve(early).ok());

  const auto approved = world.network.pool().Read(
      [](postgres::Transaction& transaction) -> absl::StatusOr<std::vector<StoredRuleSet>> {
        return ApprovedRuleSets(transaction);
      });
  REQUIRE(approved.ok());
  REQUIRE(approved->size() == 2);
  CHECK((*approved)[0].number == 2);
  CHECK((*approved)[1].number == 1);

  RuleNames names;
  names.partners["partners/fresh"] = PartnerId(7);
  names.stores["partners/fresh/stores/s1"] = StoreId(8);
  const auto parsed = ParseRules((*approved)[0].number, (*approved)[0].rules, names);
  REQUIRE(parsed.ok());
  CHECK(parsed->version == 2);
  const rules::RuleSet expected{
      2,
      {{"base", "Base rate", 0, {}, rules::BaseRate{Points(1), MinorUnits(100)}},
       {"no-gift-cards",
        "No points for gift cards",
        5,
        {{PartnerId(7)}, {StoreId(8)}, {"GIFT CARDS"}, {"4711"}},
        rules::Exclusion{"gift cards"}}}};
  CHECK(*parsed == expected);
  CHECK_FALSE(ParseRules(2, (*approved)[0].rules, RuleNames()).ok());
  CHECK_FALSE(ParseRules(2, "\xff", names).ok());
}

TEST_CASE("RuleService: what was rejected never takes effect, and what is in force is not rejected",
          "[service][rules][inv-97]") {
  const World world;
  const std::string name = world.Propose(AProposal(InDays(1)));
  v1::RejectRuleSetRequest request;
  request.set_name(name);
  request.set_note("two\nlines");
  const auto reject = [&](const std::string& by) {
    return world.Try(by, &Stub::RejectRuleSet, request);
  };
  CHECK(ReasonOf(reject("bert").status()) == Reason::kRequestMalformed);
  request.set_note("the wrong shop");
  CHECK(ReasonOf(reject("auditor").status()) == Reason::kPermissionDenied);

  const auto rejected = reject("bert");

  REQUIRE(rejected.ok());
  CHECK(rejected->rule_set().state() == v1::RULE_SET_STATE_REJECTED);
  CHECK(reject("anna").ok());
  CHECK(ReasonOf(world.Approve(name)) == Reason::kWrongState);
  const std::string next = world.Propose(AProposal(InDays(1)));
  CHECK(world.Approve(next).ok());
  request.set_name(next);
  CHECK(ReasonOf(reject("bert").status()) == Reason::kWrongState);
  request.set_name("ruleSets/9");
  CHECK(ReasonOf(reject("bert").status()) == Reason::kRuleSetNotFound);
  CHECK(world.network.database()
            .Query("select count(*) from operator.audit_log where action = "
                   "'RuleService/RejectRuleSet' and after like '%the wrong shop%'")[0]
            .Int(0) == 2);
}

TEST_CASE("RuleService: lists give every version once, oldest first", "[service][rules]") {
  const World world;
  std::vector<std::string> proposed;
  for (int i = 0; i < 5; ++i) proposed.push_back(world.Propose(AProposal(InDays(9 - i))));
  std::vector<std::string> listed;
  v1::ListRuleSetsRequest request;
  request.set_page_size(2);
  do {
    const auto page = world.Try("auditor", &Stub::ListRuleSets, request);
    REQUIRE(page.ok());
    for (const v1::RuleSet& rule_set : page->rule_sets()) listed.push_back(rule_set.name());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  CHECK(listed == proposed);

  request.set_page_token("forged");
  CHECK(ReasonOf(world.Try("auditor", &Stub::ListRuleSets, request).status()) ==
        Reason::kPageTokenInvalid);
}

TEST_CASE("RuleService: each documented refusal is given, first match first", "[service][rules]") {
  const World world("LIVE");
  CHECK(ReasonOf(world.Approve("ruleSets/9")) == Reason::kRuleSetNotFound);
  CHECK(ReasonOf(world.Approve("ruleSets/99999999999")) == Reason::kRuleSetNotFound);
  CHECK(ReasonOf(world.Approve("rules")) == Reason::kRuleSetNotFound);
  const std::string past = world.Propose(AProposal(InDays(-1)));
  CHECK(ReasonOf(world.Approve(past, "anna")) == Reason::kSamePerson);
  CHECK(ReasonOf(world.Approve(past)) == Reason::kEffectiveInPast);
  const std::string next = world.Propose(AProposal(InDays(1)));
  CHECK(world.Approve(next).ok());
  CHECK(ReasonOf(world.Approve(next, "anna")) == Reason::kWrongState);
  v1::GetRuleSetRequest get;
  get.set_name("ruleSets/9");
  CHECK(ReasonOf(world.Try("anna", &Stub::GetRuleSet, get).status()) == Reason::kRuleSetNotFound);

  const auto refusal = [&](auto change) {
    v1::ProposeRuleSetRequest request = AProposal(InDays(1));
    change(*request.mutable_rule_set());
    return world.Try("anna", &Stub::ProposeRuleSet, request).status();
  };
  const std::vector<std::pair<const char*, absl::Status>> malformed{
      {"no date", refusal([](v1::RuleSet& set) { set.clear_effective_from(); })},
      {"no rules", refusal([](v1::RuleSet& set) { set.clear_rules(); })},
      {"an id that is no id", refusal([](v1::RuleSet& set) { AddBaseRate(set, "Base Rate"); })},
      {"an id twice", refusal([](v1::RuleSet& set) { AddBaseRate(set, "base"); })},
      {"no effect", refusal([](v1::RuleSet& set) { AddBaseRate(set, "x").clear_effect(); })},
      {"an unknown partner", refusal([](v1::RuleSet& set) {
         AddBaseRate(set, "x").mutable_selector()->add_partners("partners/nobody");
       })},
      {"a store of another partner", refusal([](v1::RuleSet& set) {
         AddBaseRate(set, "x").mutable_selector()->add_stores("partners/books/stores/s1");
       })},
      {"a name that is none", refusal([](v1::RuleSet& set) {
         AddBaseRate(set, "x").mutable_selector()->add_partners("fresh");
       })},
      {"a brand that would not pay", refusal([](v1::RuleSet& set) {
         AddBaseRate(set, "x").mutable_funding()->mutable_remainder()->set_brand("partners/fresh");
       })},
      {"a brand that would not pay its share", refusal([](v1::RuleSet& set) {
         v1::FunderShare& share = *AddBaseRate(set, "x").mutable_funding()->add_shares();
         share.set_share_ppm(1'000);
         share.mutable_funder()->set_kind(v1::FUNDER_KIND_OPERATOR);
         share.mutable_funder()->set_brand("partners/fresh");
       })},
      {"a kind of funder of later", refusal([](v1::RuleSet& set) {
         AddBaseRate(set, "x").mutable_funding()->mutable_remainder()->set_kind(
             static_cast<v1::FunderKind>(77));
       })},
      {"a rounding of later", refusal([](v1::RuleSet& set) {
         AddBaseRate(set, "x").mutable_base_rate()->set_rounding(static_cast<v1::Rounding>(77));
       })},
      {"a condition of later", refusal([](v1::RuleSet& set) {
         AddBaseRate(set, "x").mutable_conditions()->set_first_purchase(
             static_cast<v1::FirstPurchase>(77));
       })},
      {"a NUL", refusal([](v1::RuleSet& set) {
         AddBaseRate(set, "x").set_display_name(std::string("a\0b", 3));
       })},
  };
  for (const auto& [what, status] : malformed) {
    INFO(what << ": " << status);
    CHECK(ReasonOf(status) == Reason::kRequestMalformed);
  }
  CHECK(ReasonOf(refusal([](v1::RuleSet& set) {
          AddBaseRate(set, "x").mutable_base_rate()->set_per_minor_units(0);
        })) == Reason::kAmountOutOfRange);
}

}  // namespace
}  // namespace guilder::accrual
