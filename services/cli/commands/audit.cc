#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/rule_service.pb.h"
#include "guilder/operator/v1/operator_service.pb.h"
#include "guilder/partner/v1/partner_service.pb.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = operator_::v1;

absl::Status ShowVerified(Context& context, const v1::VerifyAuditLogResponse& verified) {
  context.output().Record(ToJson(verified), {{"Intact", "intact"},
                                             {"Records", "records", Show::kNumber},
                                             {"Head", "head"},
                                             {"Broken at", "broken_at", Show::kNumber}});
  if (verified.intact()) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("the audit log does not follow from record ", verified.broken_at(), " on"));
}

template <typename Request, typename Response>
absl::Status ApproveNamed(Context& context, Request& request, const std::string& role) {
  Response response;
  GUILDER_RETURN_IF_ERROR(context.Call(request, response, role));
  context.output().Json(ToJson(response));
  context.output().Text(absl::StrCat("Approved ", request.name()));
  return absl::OkStatus();
}

absl::Status ApproveSettlement(Context& context, const std::string& name) {
  settlement::v1::GetSettlementRequest read;
  settlement::v1::GetSettlementResponse found;
  read.set_name(name);
  GUILDER_RETURN_IF_ERROR(context.Call(read, found, "finance_approver"));
  settlement::v1::ApproveSettlementRequest request;
  request.set_name(name);
  request.set_etag(found.settlement().etag());
  return ApproveNamed<settlement::v1::ApproveSettlementRequest,
                      settlement::v1::ApproveSettlementResponse>(context, request,
                                                                 "finance_approver");
}

absl::Status Approve(Context& context, const std::string& name, const std::string& etag) {
  if (absl::StartsWith(name, "settlements/")) return ApproveSettlement(context, name);
  if (absl::StartsWith(name, "ruleSets/")) {
    accrual::v1::ApproveRuleSetRequest request;
    request.set_name(name);
    return ApproveNamed<accrual::v1::ApproveRuleSetRequest, accrual::v1::ApproveRuleSetResponse>(
        context, request, "approver");
  }
  if (absl::StrContains(name, "/contracts/")) {
    partner::v1::ApproveContractRequest request;
    request.set_name(name);
    request.set_etag(etag);
    return ApproveNamed<partner::v1::ApproveContractRequest, partner::v1::ApproveContractResponse>(
        context, request, "approver");
  }
  partner::v1::ApprovePartnerRequest request;
  request.set_name(WithPrefix("partners/", name));
  return ApproveNamed<partner::v1::ApprovePartnerRequest, partner::v1::ApprovePartnerResponse>(
      context, request, "approver");
}

}  // namespace

void AddAuditCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "audit", "What people did, as a chain that cannot be changed");
  AddVerb<v1::ListAuditRecordsRequest, v1::ListAuditRecordsResponse>(
      noun, context, "list", "Lists what was done, and whose personal data was read")
      .Option("--actor", "actor", "Only what this one did: operators/ID")
      .Option("--resource", "resource", "Only what was done to this, as in partners/NAME")
      .As("auditor")
      .ShowList("records",
                {{"NUMBER", "number"},
                 {"TIME", "time", Show::kTime},
                 {"WHO", "actor"},
                 {"FROM", "peer"},
                 {"WHAT", "action"},
                 {"TO", "resource"}},
                "nothing was done");
  AddVerb<v1::VerifyAuditLogRequest, v1::VerifyAuditLogResponse>(
      noun, context, "verify", "Recomputes the chain; keep number and head elsewhere")
      .As("auditor")
      .Show([&context](const google::protobuf::Message& response) {
        return ShowVerified(context, static_cast<const v1::VerifyAuditLogResponse&>(response));
      });
}

void AddApprovalCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "approval", "What waits for a second person");
  AddVerb<v1::ListApprovalsRequest, v1::ListApprovalsResponse>(
      noun, context, "list", "Lists partners, contracts, rule sets and settlements that wait")
      .As("auditor")
      .ShowList("approvals",
                {{"NAME", "name"},
                 {"WAITS FOR", "waits_for"},
                 {"WHAT", "summary"},
                 {"NOT BY", "signed_by"},
                 {"UNTIL", "expire_time", Show::kTime}},
                "nothing waits");
  AddAction(noun, context, "approve", "Approves it, as the second person",
            [&context](Arguments& arguments) -> std::function<absl::Status()> {
              const std::string& name = arguments.Text("NAME", "As approval list has it", true);
              const std::string& etag =
                  arguments.Text("--etag", "Of a contract: only if it is still what was read");
              return [&context, &name, &etag] { return Approve(context, name, etag); };
            });
  AddVerb<partner::v1::RejectContractRequest, partner::v1::RejectContractResponse>(
      noun, context, "reject", "Rejects a contract that was proposed")
      .Argument("CONTRACT", "name", "The contract: PARTNER/contracts/NUMBER", "partners/")
      .Option("--note", "note", "Why, for whoever proposed it")
      .As("approver")
      .ShowRecord("contract",
                  {{"Name", "name"}, {"State", "state"}, {"Proposed by", "proposed_by"}});
}

}  // namespace guilder::cli
