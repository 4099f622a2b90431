#include <string>

#include "guilder/settlement/v1/settlement_service.pb.h"

#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = settlement::v1;

std::vector<Field> DisputeFields() {
  return {{"Name", "name"},
          {"Line", "line"},
          {"Partner", "partner"},
          {"Amount", "amount", Show::kMoney},
          {"Reason", "reason"},
          {"Evidence", "evidence_name"},
          {"SHA-256", "evidence_sha256"},
          {"State", "state"},
          {"Meanwhile", "provision"},
          {"Opened by", "opened_by"},
          {"Opened", "open_time", Show::kTime},
          {"Deadline", "deadline", Show::kTime},
          {"Then", "default_outcome"},
          {"Decided by", "resolved_by"},
          {"Note", "note"},
          {"Credited", "credited", Show::kMoney},
          {"Adjustment", "adjustment"},
          {"Credit note", "credit_note"}};
}

std::vector<Field> PolicyFields() {
  return {{"Days to open", "open_days"},
          {"Days to decide", "resolve_days"},
          {"Meanwhile", "provision"},
          {"Default outcome", "default_outcome"}};
}

void AddPolicyVerbs(CLI::App& noun, Context& context) {
  AddVerb<v1::GetDisputePolicyRequest, v1::GetDisputePolicyResponse>(
      noun, context, "policy", "Shows by which rules disputes are opened")
      .As("auditor")
      .ShowRecord("policy", PolicyFields());
  AddVerb<v1::UpdateDisputePolicyRequest, v1::UpdateDisputePolicyResponse>(
      noun, context, "set-policy", "Changes by which rules disputes are opened")
      .Option("--open-days", "policy.open_days", "Days after the approval to open one")
      .Required()
      .Option("--resolve-days", "policy.resolve_days", "Days to decide it")
      .Required()
      .Option("--meanwhile", "policy.provision", "What the amount is meanwhile")
      .Required()
      .Option("--default", "policy.default_outcome", "The outcome when nobody decides")
      .Required()
      .As("finance_approver")
      .ShowRecord("policy", PolicyFields());
}

}  // namespace

void AddDisputeCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "dispute", "What partners object to");
  AddVerb<v1::OpenDisputeRequest, v1::OpenDisputeResponse>(noun, context, "open",
                                                           "Objects to a line that was billed")
      .Argument("LINE", "line", "The line: settlements/N/lines/M", "settlements/")
      .Option("--reason", "reason", "Why")
      .Required()
      .Option("--evidence-sha256", "evidence_sha256", "SHA-256 of the evidence, hexadecimal")
      .Required()
      .Option("--evidence", "evidence_name", "What the evidence is called")
      .Option("--minor-units", "amount_minor_units", "How much of the line; all of it without")
      .As("finance")
      .ShowRecord("dispute", DisputeFields());
  AddVerb<v1::ListDisputesRequest, v1::ListDisputesResponse>(noun, context, "list",
                                                             "Lists disputes, oldest first")
      .NameOption("--partner", "parent", "Of this partner only", "partners/")
      .Switch("--all", "include_resolved", "What is decided, too")
      .As("auditor")
      .ShowList("disputes",
                {{"NAME", "name"},
                 {"PARTNER", "partner"},
                 {"LINE", "line"},
                 {"AMOUNT", "amount", Show::kMoney},
                 {"STATE", "state"},
                 {"DEADLINE", "deadline", Show::kTime},
                 {"CREDITED", "credited", Show::kMoney},
                 {"CREDIT NOTE", "credit_note"}},
                "no disputes");
  AddVerb<v1::GetDisputeRequest, v1::GetDisputeResponse>(noun, context, "show", "Shows a dispute")
      .Argument("DISPUTE", "name", "The dispute: its number", "disputes/")
      .As("auditor")
      .ShowRecord("dispute", DisputeFields());
  AddVerb<v1::ResolveDisputeRequest, v1::ResolveDisputeResponse>(
      noun, context, "resolve", "Decides a dispute that somebody else opened")
      .Argument("DISPUTE", "name", "The dispute: its number", "disputes/")
      .Option("--outcome", "outcome", "Whether the partner is right")
      .Required()
      .Option("--note", "note", "Why")
      .Required()
      .Option("--minor-units", "credited_minor_units", "How much is credited; all of it without")
      .As("finance_approver")
      .ShowRecord("dispute", DisputeFields());
  AddPolicyVerbs(noun, context);
}

}  // namespace guilder::cli
