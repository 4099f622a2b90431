#include <optional>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "guilder/accrual/v1/accrual_service.pb.h"
#include "guilder/accrual/v1/rule_service.pb.h"
#include "guilder/member/v1/points_service.pb.h"
#include "guilder/operator/v1/operator_service.pb.h"
#include "guilder/partner/v1/partner_service.pb.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/output/printable.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = operator_::v1;

// The most that lists give at once.
constexpr int kPageSize = 1'000;

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

// The etag of what was looked at, which is what is computed now where none is stated.
absl::StatusOr<std::string> SettlementEtag(Context& context, const std::string& name,
                                           const std::string& etag) {
  if (!etag.empty()) return etag;
  settlement::v1::GetSettlementRequest read;
  settlement::v1::GetSettlementResponse found;
  read.set_name(name);
  GUILDER_RETURN_IF_ERROR(context.Call(read, found, "finance_approver"));
  return found.settlement().etag();
}

absl::Status ApproveSettlement(Context& context, const std::string& name, const std::string& etag) {
  settlement::v1::ApproveSettlementRequest request;
  request.set_name(name);
  GUILDER_ASSIGN_OR_RETURN(*request.mutable_etag(), SettlementEtag(context, name, etag));
  return ApproveNamed<settlement::v1::ApproveSettlementRequest,
                      settlement::v1::ApproveSettlementResponse>(context, request,
                                                                 "finance_approver");
}

// The one of that name in a list with pages; nothing when it is not there.
template <typename Response, typename Item, typename Request>
absl::StatusOr<std::optional<Item>> FindListed(
    Context& context, Request request, const std::string& name,
    const google::protobuf::RepeatedPtrField<Item>& (Response::*items)() const) {
  do {
    Response response;
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "approver"));
    for (const Item& item : (response.*items)()) {
      if (item.name() == name) return item;
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return std::nullopt;
}

// The approval of that name as it waits, with the etag of what was looked at, which is now.
absl::StatusOr<v1::Approval> FindWaiting(Context& context, const std::string& name) {
  v1::ListApprovalsRequest request;
  request.set_page_size(kPageSize);
  GUILDER_ASSIGN_OR_RETURN(
      auto found, FindListed(context, request, name, &v1::ListApprovalsResponse::approvals));
  if (!found) return Refuse(Reason::kApprovalNotFound);
  return *std::move(found);
}

// Without an etag shows what is approved before it is, and is bound to that. Of what does not wait
// the service says what became of it.
absl::Status ApproveWriteOff(Context& context, const std::string& obligation,
                             const std::string& etag) {
  settlement::v1::ApproveWriteOffRequest request;
  settlement::v1::ApproveWriteOffResponse response;
  request.set_obligation(obligation);
  request.set_etag(etag);
  if (etag.empty()) {
    const absl::StatusOr<v1::Approval> waiting = FindWaiting(context, obligation);
    if (waiting.ok()) {
      request.set_etag(waiting->etag());
      context.output().Text(Printable(waiting->summary()));
    } else if (ReasonOf(waiting.status()) != Reason::kApprovalNotFound) {
      return waiting.status();
    }
  }
  GUILDER_RETURN_IF_ERROR(context.Call(request, response, "finance_approver"));
  context.output().Json(ToJson(response));
  context.output().Text(absl::StrCat("Approved the write-off of ", obligation));
  return absl::OkStatus();
}

// Shows what is approved before it is, and is bound to that.
absl::Status ApproveRequested(Context& context, const std::string& name, const std::string& etag) {
  v1::ApproveRequest request;
  request.set_name(name);
  request.set_etag(etag);
  if (etag.empty()) {
    GUILDER_ASSIGN_OR_RETURN(const v1::Approval waiting, FindWaiting(context, name));
    request.set_etag(waiting.etag());
    context.output().Text(Printable(waiting.change()));
  }
  return ApproveNamed<v1::ApproveRequest, v1::ApproveResponse>(context, request, "approver");
}

// Without an etag shows what is approved before it is, and is bound to that. Of what does not wait
// the service says what became of it.
absl::Status ApproveParked(Context& context, const std::string& name, const std::string& etag) {
  accrual::v1::ApproveParkedReturnRequest request;
  request.set_name(name);
  request.set_etag(etag);
  if (etag.empty()) {
    accrual::v1::ListParkedItemsRequest list;
    list.set_page_size(kPageSize);
    GUILDER_ASSIGN_OR_RETURN(
        const auto item,
        FindListed(context, list, name, &accrual::v1::ListParkedItemsResponse::parked_items));
    if (item) {
      request.set_etag(item->etag());
      context.output().Text(Printable(absl::StrCat(
          item->content(), " of ", item->proposed_purchase(), ": ", item->resolution())));
    }
  }
  return ApproveNamed<accrual::v1::ApproveParkedReturnRequest,
                      accrual::v1::ApproveParkedReturnResponse>(context, request, "approver");
}

// The same.
absl::Status ApproveAdjustment(Context& context, const std::string& name, const std::string& etag) {
  member::v1::ApproveAdjustmentRequest request;
  request.set_name(name);
  request.set_etag(etag);
  if (etag.empty()) {
    member::v1::ListAdjustmentsRequest list;
    list.set_state(member::v1::ADJUSTMENT_STATE_WAITING);
    list.set_page_size(kPageSize);
    GUILDER_ASSIGN_OR_RETURN(
        const auto item,
        FindListed(context, list, name, &member::v1::ListAdjustmentsResponse::adjustments));
    if (item) {
      request.set_etag(item->etag());
      context.output().Text(
          Printable(absl::StrCat(item->points(), " points, ", item->member(), ", ",
                                 ToJson(*item).value("reason", ""), ": ", item->note())));
    }
  }
  return ApproveNamed<member::v1::ApproveAdjustmentRequest, member::v1::ApproveAdjustmentResponse>(
      context, request, "approver");
}

absl::Status NoEtag(const std::string& name) {
  return absl::InvalidArgumentError(
      absl::StrCat("--etag: the decision on ", name, " is not bound to one"));
}

absl::Status Approve(Context& context, const std::string& name, const std::string& etag) {
  if (absl::StartsWith(name, "approvals/")) return ApproveRequested(context, name, etag);
  if (absl::StrContains(name, "/obligations/")) return ApproveWriteOff(context, name, etag);
  if (absl::StartsWith(name, "parkedItems/")) return ApproveParked(context, name, etag);
  if (absl::StartsWith(name, "adjustments/")) return ApproveAdjustment(context, name, etag);
  if (absl::StartsWith(name, "settlements/")) return ApproveSettlement(context, name, etag);
  if (absl::StartsWith(name, "ruleSets/")) {
    if (!etag.empty()) return NoEtag(name);
    accrual::v1::ApproveRuleSetRequest request;
    request.set_name(name);
    return ApproveNamed<accrual::v1::ApproveRuleSetRequest, accrual::v1::ApproveRuleSetResponse>(
        context, request, "approver");
  }
  if (absl::StrContains(name, "/contracts/")) {
    partner::v1::ApproveContractRequest request;
    request.set_name(WithPrefix("partners/", name));
    request.set_etag(etag);
    return ApproveNamed<partner::v1::ApproveContractRequest, partner::v1::ApproveContractResponse>(
        context, request, "approver");
  }
  partner::v1::ApprovePartnerRequest request;
  request.set_name(WithPrefix("partners/", name));
  request.set_etag(etag);
  return ApproveNamed<partner::v1::ApprovePartnerRequest, partner::v1::ApprovePartnerResponse>(
      context, request, "approver");
}

// What is rejected, why, and the etag of what was looked at where that may change under its name.
struct Rejection {
  std::string name;
  std::string note;
  std::string etag;
};

template <typename Request, typename Response>
absl::Status RejectNamed(Context& context, const Rejection& rejection,
                         const std::string& role = "approver") {
  Request request;
  Response response;
  if constexpr (requires { request.set_name(rejection.name); }) {
    request.set_name(rejection.name);
  } else {
    request.set_obligation(rejection.name);
  }
  request.set_note(rejection.note);
  if constexpr (requires { request.set_etag(rejection.etag); }) {
    request.set_etag(rejection.etag);
  } else if (!rejection.etag.empty()) {
    return NoEtag(rejection.name);
  }
  GUILDER_RETURN_IF_ERROR(context.Call(request, response, role));
  context.output().Json(ToJson(response));
  context.output().Text(absl::StrCat("Rejected ", rejection.name));
  return absl::OkStatus();
}

absl::Status Reject(Context& context, Rejection rejection) {
  const std::string& name = rejection.name;
  if (absl::StartsWith(name, "approvals/")) {
    return RejectNamed<v1::RejectRequest, v1::RejectResponse>(context, rejection);
  }
  if (absl::StartsWith(name, "adjustments/")) {
    return RejectNamed<member::v1::RejectAdjustmentRequest, member::v1::RejectAdjustmentResponse>(
        context, rejection);
  }
  if (absl::StartsWith(name, "ruleSets/")) {
    return RejectNamed<accrual::v1::RejectRuleSetRequest, accrual::v1::RejectRuleSetResponse>(
        context, rejection);
  }
  if (absl::StartsWith(name, "parkedItems/")) {
    return RejectNamed<accrual::v1::RejectParkedReturnRequest,
                       accrual::v1::RejectParkedReturnResponse>(context, rejection);
  }
  if (absl::StrContains(name, "/obligations/")) {
    return RejectNamed<settlement::v1::RejectWriteOffRequest,
                       settlement::v1::RejectWriteOffResponse>(context, rejection,
                                                               "finance_approver");
  }
  if (absl::StartsWith(name, "settlements/")) {
    GUILDER_ASSIGN_OR_RETURN(rejection.etag, SettlementEtag(context, name, rejection.etag));
    return RejectNamed<settlement::v1::RejectSettlementRequest,
                       settlement::v1::RejectSettlementResponse>(context, rejection,
                                                                 "finance_approver");
  }
  rejection.name = WithPrefix("partners/", name);
  if (absl::StrContains(rejection.name, "/contracts/")) {
    return RejectNamed<partner::v1::RejectContractRequest, partner::v1::RejectContractResponse>(
        context, rejection);
  }
  return RejectNamed<partner::v1::RejectPartnerRequest, partner::v1::RejectPartnerResponse>(
      context, rejection);
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
      noun, context, "list", "Lists whatever waits: partners, contracts, settlements, requests …")
      .As("auditor")
      .ShowList("approvals",
                {{"NAME", "name"},
                 {"WAITS FOR", "waits_for"},
                 {"WHAT", "summary"},
                 {"CHANGE", "change"},
                 {"NOT BY", "signed_by"},
                 {"UNTIL", "expire_time", Show::kTime},
                 {"ETAG", "etag"}},
                "nothing waits");
  AddAction(noun, context, "approve", "Approves it, as the second person",
            [&context](Arguments& arguments) -> std::function<absl::Status()> {
              const std::string& name = arguments.Text("NAME", "As approval list has it", true);
              const std::string& etag =
                  arguments.Text("--etag", "Only if it is still what was read");
              return [&context, &name, &etag] { return Approve(context, name, etag); };
            });
  AddAction(
      noun, context, "reject", "Rejects it, or takes an approval back that was not used",
      [&context](Arguments& arguments) -> std::function<absl::Status()> {
        const std::string& name = arguments.Text("NAME", "As approval list has it", true);
        const std::string& note = arguments.Text("--note", "Why, for whoever proposed it");
        const std::string& etag = arguments.Text("--etag", "Only if it is still what was read");
        return [&context, &name, &note, &etag] { return Reject(context, {name, note, etag}); };
      });
}

}  // namespace guilder::cli
