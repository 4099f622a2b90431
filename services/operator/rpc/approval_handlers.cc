#include <memory>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "libs/rpc/approval.h"
#include "libs/rpc/audit.h"
#include "libs/rpc/note.h"
#include "libs/rpc/proto_time.h"
#include "libs/security/store/approvals.h"
#include "services/operator/rpc/operator_handlers.h"
#include "services/operator/store/approvals.h"
#include "services/operator/store/programme.h"

namespace guilder::operator_ {
namespace {

using postgres::Transaction;
using security::Approval;

constexpr char kApprovalList[] = "approvals";

std::string NameOf(const Approval& approval) {
  return absl::StrCat("approvals/", approval.number);
}

v1::Approval ToProto(const Approval& approval) {
  v1::Approval out;
  out.set_name(NameOf(approval));
  out.set_waits_for(approval.state == "WAITING" ? "APPROVAL" : "");
  out.set_summary(approval.note);
  out.add_signed_by(approval.requested_by);
  out.set_etag(ToHex(AsView(approval.hash)));
  *out.mutable_expire_time() = rpc::ToProto(approval.expires_at);
  out.set_change(absl::StrCat(approval.request_type, " ", approval.change));
  out.set_state(approval.state);
  out.set_decided_by(approval.decided_by);
  return out;
}

// The request in an Any. Error: REQUEST_MALFORMED, it is no request that approvals are for.
absl::StatusOr<std::unique_ptr<google::protobuf::Message>> Unpack(
    const google::protobuf::Any& packed) {
  const std::string& url = packed.type_url();
  const auto* const type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
          url.substr(url.rfind('/') + 1));
  const absl::Status none = Refuse(
      Reason::kRequestMalformed, "it is no request that needs an approval", {{"field", "request"}});
  if (type == nullptr || rpc::FindApprovable(*type) == nullptr) return none;
  std::unique_ptr<google::protobuf::Message> request(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (!request->ParseFromString(packed.value())) return none;
  return request;
}

absl::StatusOr<Approval> LockNamed(Transaction& transaction, const std::string& name) {
  const auto parts = rpc::ParseName("approvals/{}", name);
  const auto number = parts ? rpc::ParseNumber(parts->front()) : std::nullopt;
  if (!number) return Refuse(Reason::kApprovalNotFound);
  auto approval = security::LockApproval(transaction, *number);
  if (!approval) return Refuse(Reason::kApprovalNotFound);
  return *std::move(approval);
}

absl::Status WrongState(const Approval& approval) {
  return Refuse(Reason::kWrongState, {}, {{"state", approval.state}});
}

// Stores what was decided, and notes it.
void Decide(Transaction& transaction, const rpc::Call& call, const char* action, const char* state,
            const std::string& note, Approval& approval) {
  const v1::Approval before = ToProto(approval);
  approval.state = state;
  approval.decided_by = call.principal().id;
  security::DecideApproval(transaction, approval.number, state, approval.decided_by, note);
  v1::Approval after = ToProto(approval);
  if (!note.empty()) after.set_summary(note);
  rpc::Audit(transaction, call, action, after.name(), &before, &after);
}

}  // namespace

absl::StatusOr<v1::ListApprovalsResponse> OperatorHandlers::ListApprovals(
    const rpc::Call& call, const v1::ListApprovalsRequest& request) {
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  GUILDER_ASSIGN_OR_RETURN(const std::string after,
                           page_tokens_.Position(kApprovalList, request.page_token()));
  return pool_.Read(
      [&](Transaction& transaction) -> absl::StatusOr<v1::ListApprovalsResponse> {
        GUILDER_ASSIGN_OR_RETURN(const Programme programme, ReadProgramme(transaction));
        v1::ListApprovalsResponse response;
        // One more than the page, to know whether there is a next one.
        auto found = ListWaitingApprovals(transaction, programme.clock, after, page_size + 1);
        if (found.size() > static_cast<size_t>(page_size)) {
          found.pop_back();
          response.set_next_page_token(page_tokens_.Make(kApprovalList, found.back().name));
        }
        for (const WaitingApproval& waiting : found) {
          v1::Approval& added = *response.add_approvals();
          added.set_name(waiting.name);
          added.set_waits_for(waiting.waits_for);
          added.set_summary(waiting.summary);
          for (const std::string& who : waiting.signed_by) added.add_signed_by(who);
          if (waiting.expires_at) *added.mutable_expire_time() = rpc::ToProto(*waiting.expires_at);
          added.set_etag(waiting.etag);
          added.set_change(waiting.change);
          added.set_state(waiting.state);
        }
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::RequestApprovalResponse> OperatorHandlers::RequestApproval(
    const rpc::Call& call, const v1::RequestApprovalRequest& request) {
  GUILDER_RETURN_IF_ERROR(rpc::CheckNote(request.note()));
  GUILDER_ASSIGN_OR_RETURN(const auto change, Unpack(request.request()));
  // Who may not make it at all asks nobody for leave.
  GUILDER_RETURN_IF_ERROR(
      rpc::CheckPermission(*rpc::FindApprovable(*change->GetDescriptor()), call.principal()));
  Approval asked;
  asked.request_type = change->GetDescriptor()->full_name();
  asked.change = rpc::ChangeText(*change);
  asked.hash = rpc::ChangeHash(*change);
  asked.note = request.note();
  asked.requested_by = call.principal().id;
  v1::RequestApprovalResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Run(
      [&](Transaction& transaction) -> absl::Status {
        *response.mutable_approval() = ToProto(security::InsertApproval(transaction, asked));
        rpc::Audit(transaction, call, "OperatorService/RequestApproval", response.approval().name(),
                   nullptr, &response.approval());
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<v1::ApproveResponse> OperatorHandlers::Approve(const rpc::Call& call,
                                                              const v1::ApproveRequest& request) {
  return pool_.Run(
      [&](Transaction& transaction) -> absl::StatusOr<v1::ApproveResponse> {
        GUILDER_ASSIGN_OR_RETURN(Approval approval, LockNamed(transaction, request.name()));
        if (approval.state != "WAITING") return WrongState(approval);
        if (request.etag() != ToHex(AsView(approval.hash))) return Refuse(Reason::kChangeDiffers);
        if (approval.expired) return Refuse(Reason::kApprovalExpired);
        if (approval.requested_by == call.principal().id) return Refuse(Reason::kSamePerson);
        Decide(transaction, call, "OperatorService/Approve", "APPROVED", {}, approval);
        v1::ApproveResponse response;
        *response.mutable_approval() = ToProto(approval);
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::RejectResponse> OperatorHandlers::Reject(const rpc::Call& call,
                                                            const v1::RejectRequest& request) {
  GUILDER_RETURN_IF_ERROR(rpc::CheckNote(request.note()));
  return pool_.Run(
      [&](Transaction& transaction) -> absl::StatusOr<v1::RejectResponse> {
        GUILDER_ASSIGN_OR_RETURN(Approval approval, LockNamed(transaction, request.name()));
        const security::Principal& who = call.principal();
        constexpr security::Roles kMayReject{
            security::Role::kApprover, security::Role::kFinanceApprover, security::Role::kAdmin};
        if (approval.requested_by != who.id && !who.roles.HasAnyOf(kMayReject)) {
          return Refuse(Reason::kPermissionDenied);
        }
        if (approval.state != "WAITING" && approval.state != "APPROVED") {
          return WrongState(approval);
        }
        Decide(transaction, call, "OperatorService/Reject", "REJECTED", request.note(), approval);
        v1::RejectResponse response;
        *response.mutable_approval() = ToProto(approval);
        return response;
      },
      call.deadline());
}

}  // namespace guilder::operator_
