#include <algorithm>
#include <iostream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/rule_service.pb.h"

#include "libs/base/files.h"
#include "libs/base/status_macros.h"
#include "libs/rpc/restriction_text.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = accrual::v1;

// "1 per full 1000 minor units", or why nothing.
std::string EffectText(const v1::EarnRule& rule) {
  switch (rule.effect_case()) {
    case v1::EarnRule::kBaseRate:
      return absl::StrCat(rule.base_rate().points(), " per full ",
                          rule.base_rate().per_minor_units(), " minor units");
    case v1::EarnRule::kMultiplier: {
      const v1::Multiplier& multiplier = rule.multiplier();
      return absl::StrCat(
          "times ", multiplier.numerator(), multiplier.denominator() > 1 ? "/" : "",
          multiplier.denominator() > 1 ? absl::StrCat(multiplier.denominator()) : "");
    }
    case v1::EarnRule::kFixedBonus:
      return absl::StrCat(rule.fixed_bonus().points(), " once");
    case v1::EarnRule::kProductBonus:
      return absl::StrCat(rule.product_bonus().points(), " per ",
                          std::max<int64_t>(1, rule.product_bonus().per_quantity()), " bought");
    case v1::EarnRule::kExclusion:
      break;
    case v1::EarnRule::EFFECT_NOT_SET:
      return "";
  }
  const std::string& reason = rule.exclusion().reason();
  return reason.empty() ? "nothing" : absl::StrCat("nothing: ", reason);
}

// "tier gold, from 2026-03-29, at most day".
std::string ConditionsText(const v1::EarnRule& rule) {
  const v1::RuleConditions& conditions = rule.conditions();
  std::string text;
  const auto add = [&text](const std::string& part) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", part);
  };
  for (const std::string& tier : conditions.tiers()) add("tier " + tier);
  for (const std::string& segment : conditions.segments()) add("segment " + segment);
  if (conditions.first_purchase() != v1::FIRST_PURCHASE_UNSPECIFIED) add("first purchase");
  if (conditions.has_birthday()) add("birthday");
  if (!conditions.valid_from().empty()) add("from " + conditions.valid_from());
  if (!conditions.valid_until().empty()) add("until " + conditions.valid_until());
  for (const v1::TimeWindow& window : conditions.windows()) {
    add(absl::StrCat(window.from().empty() ? "00:00" : window.from(), "-",
                     window.until().empty() ? "24:00" : window.until()));
  }
  if (conditions.min_amount_minor_units() > 0) {
    add(absl::StrCat("above ", conditions.min_amount_minor_units(), " minor units"));
  }
  for (const std::string& cap : rule.caps()) add("cap " + cap);
  if (!rule.group().empty()) add("one of " + rule.group());
  if (rule.stop()) add("stops");
  if (rule.has_spent_only()) add("spent " + rpc::WhereSpent(rule.spent_only()));
  return text;
}

// "CAP_SCOPE_MEMBER" → "MEMBER".
std::string EnumText(const std::string& name) {
  return name.substr(name.rfind('_') + 1);
}

std::string SelectorText(const v1::LineSelector& selector) {
  std::string text;
  const auto add = [&text](const char* what, const auto& values) {
    for (const std::string& value : values) {
      absl::StrAppend(&text, text.empty() ? "" : ", ", what, value);
    }
  };
  add("", selector.partners());
  add("", selector.stores());
  add("category ", selector.categories());
  add("sku ", selector.skus());
  return text.empty() ? "every line" : text;
}

void ShowRuleSet(Output& output, const v1::RuleSet& rule_set) {
  const nlohmann::ordered_json json = ToJson(rule_set);
  output.Record(json, {{"Name", "name"},
                       {"State", "state"},
                       {"From", "effective_from", Show::kTime},
                       {"Proposed by", "proposed_by"},
                       {"Approved by", "approved_by"},
                       {"Broken thresholds", "policies.broken_threshold"},
                       {"Spent points", "policies.spent_points"},
                       {"Deducted for a point, micros", "policies.deduction_rate_micros"},
                       {"Written off by", "policies.write_off_payer"},
                       {"Unknown terminals", "policies.unknown_terminal"},
                       {"From the future", "policies.future_date"}});
  Table table(
      {{"RULE"}, {"DISPLAY NAME"}, {"PRIORITY", Align::kRight}, {"FOR"}, {"WHEN"}, {"EARNS"}});
  for (const v1::EarnRule& rule : rule_set.rules()) {
    table.AddRow({rule.rule_id(), rule.display_name(), absl::StrCat(rule.priority()),
                  SelectorText(rule.selector()), ConditionsText(rule), EffectText(rule)});
  }
  output.Print(table);
  if (rule_set.caps().empty()) return;
  Table caps({{"CAP"}, {"DISPLAY NAME"}, {"SCOPE"}, {"PERIOD"}, {"POINTS", Align::kRight}});
  for (const v1::Cap& cap : rule_set.caps()) {
    caps.AddRow({cap.cap_id(), cap.display_name(), EnumText(v1::CapScope_Name(cap.scope())),
                 EnumText(v1::CapPeriod_Name(cap.period())), absl::StrCat(cap.points())});
  }
  output.Print(caps);
}

void ShowSimulation(Output& output, const v1::SimulateRuleSetResponse& response) {
  output.Record(ToJson(response), {{"Purchases", "purchases", Show::kNumber},
                                   {"Points given", "points_before", Show::kNumber},
                                   {"Points then", "points_after", Show::kNumber},
                                   {"Purchases with more", "purchases_with_more", Show::kNumber},
                                   {"Purchases with less", "purchases_with_less", Show::kNumber},
                                   {"Not after", "incomplete_at", Show::kTime}});
  Table table({{"RULE"},
               {"DISPLAY NAME"},
               {"BEFORE", Align::kRight},
               {"AFTER", Align::kRight},
               {"PURCHASES BEFORE", Align::kRight},
               {"PURCHASES AFTER", Align::kRight},
               {"TRIMMED", Align::kRight}});
  for (const v1::SimulatedRule& rule : response.rules()) {
    table.AddRow({rule.rule_id(), rule.display_name(), WithThousands(rule.points_before()),
                  WithThousands(rule.points_after()), WithThousands(rule.purchases_before()),
                  WithThousands(rule.purchases_after()), WithThousands(rule.trimmed_after())});
  }
  output.Print(table);
}

template <typename Response>
Verb::Finisher Shown(Context& context) {
  return [&context](const google::protobuf::Message& response) {
    ShowRuleSet(context.output(), static_cast<const Response&>(response).rule_set());
    return absl::OkStatus();
  };
}

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  return ReadFile(path);
}

std::function<absl::Status()> Propose(Arguments& arguments, Context& context) {
  const std::string& path = arguments.Text(
      "FILE",
      "The rules as JSON: {\"rules\": [{\"rule_id\": ..., \"base_rate\": ...}]}; - is stdin", true);
  const std::string& from =
      arguments.Text("--from", "From when on it applies, as in 2026-01-31", false);
  return [&path, &from, &context]() -> absl::Status {
    v1::ProposeRuleSetRequest request;
    v1::ProposeRuleSetResponse response;
    GUILDER_ASSIGN_OR_RETURN(const std::string json, ReadAll(path));
    GUILDER_RETURN_IF_ERROR(ReadJson(json, *request.mutable_rule_set()));
    if (!from.empty()) {
      GUILDER_RETURN_IF_ERROR(Assign(request, "rule_set.effective_from", from));
    }
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "submitter"));
    ShowRuleSet(context.output(), response.rule_set());
    return absl::OkStatus();
  };
}

}  // namespace

void AddRuleSetCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "rule-set", "The rules by which purchases earn points");
  AddAction(noun, context, "propose", "Proposes the next version of the rules",
            [&context](Arguments& arguments) { return Propose(arguments, context); });
  AddVerb<v1::ApproveRuleSetRequest, v1::ApproveRuleSetResponse>(
      noun, context, "approve", "Approves rules that somebody else proposed")
      .Argument("RULE_SET", "name", "The version: its number", "ruleSets/")
      .As("approver")
      .Show(Shown<v1::ApproveRuleSetResponse>(context));
  AddVerb<v1::GetRuleSetRequest, v1::GetRuleSetResponse>(noun, context, "show", "Shows a version")
      .Argument("RULE_SET", "name", "The version: its number", "ruleSets/")
      .As("auditor")
      .Show(Shown<v1::GetRuleSetResponse>(context));
  AddVerb<v1::SimulateRuleSetRequest, v1::SimulateRuleSetResponse>(
      noun, context, "simulate", "Says what a version would have given for recorded purchases")
      .Argument("RULE_SET", "name", "The version: its number", "ruleSets/")
      .Option("--from", "from", "Purchases posted from then on, as in 2026-01-31")
      .Required()
      .Option("--until", "until", "And before then; now without")
      .NameOption("--partner", "partner", "Of one partner; of all without", "partners/")
      .As("auditor")
      .Show([&context](const google::protobuf::Message& message) {
        ShowSimulation(context.output(), static_cast<const v1::SimulateRuleSetResponse&>(message));
        return absl::OkStatus();
      });
  AddVerb<v1::ListRuleSetsRequest, v1::ListRuleSetsResponse>(noun, context, "list",
                                                             "Lists the versions")
      .As("auditor")
      .ShowList("rule_sets",
                {{"NAME", "name"},
                 {"STATE", "state"},
                 {"FROM", "effective_from", Show::kTime},
                 {"PROPOSED BY", "proposed_by"},
                 {"APPROVED BY", "approved_by"}},
                "no rule sets");
}

}  // namespace guilder::cli
