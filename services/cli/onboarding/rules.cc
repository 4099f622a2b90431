#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "guilder/accrual/v1/rule_service.grpc.pb.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/clients/client.h"
#include "libs/rpc/proto_time.h"
#include "services/cli/onboarding/onboarding.h"
#include "services/cli/onboarding/patient.h"

namespace guilder::cli {
namespace {

namespace v1 = accrual::v1;
using Rules = clients::Client<v1::RuleService>;
using Stub = v1::RuleService::Stub;

v1::RuleSet MakeRuleSet(const std::vector<EarnPlan>& plans, const std::string& excluded_category,
                        Timestamp effective_from) {
  v1::RuleSet rule_set;
  *rule_set.mutable_effective_from() = rpc::ToProto(effective_from);
  for (const EarnPlan& plan : plans) {
    v1::EarnRule& rule = *rule_set.add_rules();
    rule.set_rule_id(absl::StrCat("base-", plan.partner_id));
    rule.set_display_name(absl::StrCat("points at ", plan.partner_id));
    rule.set_priority(10);
    rule.mutable_selector()->add_partners(absl::StrCat("partners/", plan.partner_id));
    rule.mutable_base_rate()->set_points(plan.points);
    rule.mutable_base_rate()->set_per_minor_units(plan.per_minor_units);
  }
  v1::EarnRule& exclusion = *rule_set.add_rules();
  exclusion.set_rule_id(excluded_category);
  exclusion.set_display_name("postage, charges and corrections");
  exclusion.set_priority(100);
  exclusion.mutable_selector()->add_categories(excluded_category);
  exclusion.mutable_exclusion()->set_reason("this is no goods");
  return rule_set;
}

bool SameRules(const v1::RuleSet& a, v1::RuleSet b) {
  v1::RuleSet left;
  *left.mutable_rules() = a.rules();
  *left.mutable_effective_from() = a.effective_from();
  v1::RuleSet right;
  *right.mutable_rules() = b.rules();
  *right.mutable_effective_from() = b.effective_from();
  return google::protobuf::util::MessageDifferencer::Equals(left, right);
}

}  // namespace

absl::Status PutRulesInForce(const Network& network, const std::vector<EarnPlan>& plans,
                             const std::string& excluded_category, Timestamp effective_from) {
  GUILDER_ASSIGN_OR_RETURN(const std::string endpoint, network.Endpoint("accrual"));
  GUILDER_ASSIGN_OR_RETURN(const std::string submitter, network.Token("submitter"));
  GUILDER_ASSIGN_OR_RETURN(const std::string approver, network.Token("approver"));
  const Rules proposing(clients::Channel(endpoint, submitter));
  const Rules approving(clients::Channel(endpoint, approver));

  v1::ListRuleSetsRequest list;
  list.set_page_size(1'000);
  GUILDER_ASSIGN_OR_RETURN(const v1::ListRuleSetsResponse known,
                           Ask(proposing, &Stub::ListRuleSets, list));
  v1::RuleSet rule_set = MakeRuleSet(plans, excluded_category, effective_from);
  for (const v1::RuleSet& candidate : known.rule_sets()) {
    if (SameRules(candidate, rule_set)) rule_set = candidate;
  }
  if (rule_set.state() == v1::RULE_SET_STATE_APPROVED) return absl::OkStatus();
  if (rule_set.name().empty()) {
    v1::ProposeRuleSetRequest propose;
    *propose.mutable_rule_set() = rule_set;
    GUILDER_ASSIGN_OR_RETURN(const v1::ProposeRuleSetResponse proposed,
                             Ask(proposing, &Stub::ProposeRuleSet, propose));
    rule_set = proposed.rule_set();
  }
  v1::ApproveRuleSetRequest approve;
  approve.set_name(rule_set.name());
  const absl::Status approved = Ask(approving, &Stub::ApproveRuleSet, approve).status();
  return ReasonOf(approved) == Reason::kWrongState ? absl::OkStatus() : approved;
}

}  // namespace guilder::cli
