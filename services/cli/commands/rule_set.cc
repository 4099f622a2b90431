#include <fstream>
#include <iostream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/rule_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = accrual::v1;

// "1 point per full 10.00", or why nothing.
std::string EffectText(const v1::EarnRule& rule) {
  if (rule.has_exclusion()) {
    return rule.exclusion().reason().empty() ? "nothing"
                                             : absl::StrCat("nothing: ", rule.exclusion().reason());
  }
  return absl::StrCat(rule.base_rate().points(), " per full ", rule.base_rate().per_minor_units(),
                      " minor units");
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
                       {"Approved by", "approved_by"}});
  Table table({{"RULE"}, {"DISPLAY NAME"}, {"PRIORITY", Align::kRight}, {"FOR"}, {"EARNS"}});
  for (const v1::EarnRule& rule : rule_set.rules()) {
    table.AddRow({rule.rule_id(), rule.display_name(), absl::StrCat(rule.priority()),
                  SelectorText(rule.selector()), EffectText(rule)});
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
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
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
