// Answers the calls of guilder.operator.v1.OperatorService: translates, asks domain and store,
// translates.
#pragma once

#include "absl/status/statusor.h"
#include "guilder/operator/v1/operator_service.pb.h"

#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/names.h"
#include "libs/rpc/server_stream.h"
#include "libs/security/keys.h"

namespace guilder::security {
class Secrets;
}

namespace guilder::operator_ {

// Thread safe. Handlers block on the database: they run on the runtime's workers.
class OperatorHandlers {
 public:
  // The pool outlives the handlers.
  OperatorHandlers(postgres::Pool& pool, const security::Secrets& secrets);

  absl::StatusOr<v1::CreateOperatorResponse> CreateOperator(
      const rpc::Call& call, const v1::CreateOperatorRequest& request);
  absl::StatusOr<v1::ListOperatorsResponse> ListOperators(const rpc::Call& call,
                                                          const v1::ListOperatorsRequest& request);
  absl::StatusOr<v1::DisableOperatorResponse> DisableOperator(
      const rpc::Call& call, const v1::DisableOperatorRequest& request);
  absl::StatusOr<v1::GetProgrammeResponse> GetProgramme(const rpc::Call& call,
                                                        const v1::GetProgrammeRequest& request);
  absl::StatusOr<v1::AdvanceClockResponse> AdvanceClock(const rpc::Call& call,
                                                        const v1::AdvanceClockRequest& request);
  absl::StatusOr<v1::ExplainResponse> Explain(const rpc::Call& call,
                                              const v1::ExplainRequest& request);
  absl::StatusOr<v1::GetTrialBalanceResponse> GetTrialBalance(
      const rpc::Call& call, const v1::GetTrialBalanceRequest& request);
  // audit_handlers.cc: what people did.
  absl::StatusOr<v1::ListAuditRecordsResponse> ListAuditRecords(
      const rpc::Call& call, const v1::ListAuditRecordsRequest& request);
  absl::StatusOr<v1::VerifyAuditLogResponse> VerifyAuditLog(
      const rpc::Call& call, const v1::VerifyAuditLogRequest& request);
  // approval_handlers.cc: what waits for a second person.
  absl::StatusOr<v1::ListApprovalsResponse> ListApprovals(const rpc::Call& call,
                                                          const v1::ListApprovalsRequest& request);
  absl::StatusOr<v1::RequestApprovalResponse> RequestApproval(
      const rpc::Call& call, const v1::RequestApprovalRequest& request);
  absl::StatusOr<v1::ApproveResponse> Approve(const rpc::Call& call,
                                              const v1::ApproveRequest& request);
  absl::StatusOr<v1::RejectResponse> Reject(const rpc::Call& call,
                                            const v1::RejectRequest& request);
  absl::Status VerifyLedger(const rpc::Call& call, const v1::VerifyLedgerRequest& request,
                            rpc::StreamWriter<v1::VerifyLedgerResponse>& writer);

 private:
  postgres::Pool& pool_;
  const security::KeyHasher key_hasher_;
  const rpc::PageTokens page_tokens_;
};

}  // namespace guilder::operator_
