// Answers what banks tell: statements and status reports, suspense, write-offs, ageing.
#pragma once

#include "absl/status/statusor.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/names.h"

namespace guilder::security {
class Secrets;
}

namespace guilder::settlement {

// Thread safe. Handlers block on the database: they run on the runtime's workers.
class BankHandlers {
 public:
  // The pool outlives the handlers.
  BankHandlers(postgres::Pool& pool, const security::Secrets& secrets);

  absl::StatusOr<v1::ImportBankStatementResponse> ImportBankStatement(
      const rpc::Call& call, const v1::ImportBankStatementRequest& request);
  absl::StatusOr<v1::ListBankEntriesResponse> ListBankEntries(
      const rpc::Call& call, const v1::ListBankEntriesRequest& request);
  absl::StatusOr<v1::AllocateSuspenseResponse> AllocateSuspense(
      const rpc::Call& call, const v1::AllocateSuspenseRequest& request);
  absl::StatusOr<v1::ProposeWriteOffResponse> ProposeWriteOff(
      const rpc::Call& call, const v1::ProposeWriteOffRequest& request);
  absl::StatusOr<v1::ApproveWriteOffResponse> ApproveWriteOff(
      const rpc::Call& call, const v1::ApproveWriteOffRequest& request);
  absl::StatusOr<v1::RejectWriteOffResponse> RejectWriteOff(
      const rpc::Call& call, const v1::RejectWriteOffRequest& request);
  absl::StatusOr<v1::GetAgeingResponse> GetAgeing(const rpc::Call& call,
                                                  const v1::GetAgeingRequest& request);

 private:
  postgres::Pool& pool_;
  const rpc::PageTokens page_tokens_;
};

}  // namespace guilder::settlement
