// Answers what partners compare their books by, and what becomes of breaks.
#pragma once

#include <vector>

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
class ReconciliationHandlers {
 public:
  // The pool outlives the handlers.
  ReconciliationHandlers(postgres::Pool& pool, const security::Secrets& secrets);

  // The parts of one request, in the order in which they came.
  absl::StatusOr<v1::SubmitReconciliationResponse> SubmitReconciliation(
      const rpc::Call& call, const std::vector<v1::SubmitReconciliationRequest>& parts);
  absl::StatusOr<v1::GetReconciliationResponse> GetReconciliation(
      const rpc::Call& call, const v1::GetReconciliationRequest& request);
  absl::StatusOr<v1::ListBreaksResponse> ListBreaks(const rpc::Call& call,
                                                    const v1::ListBreaksRequest& request);
  absl::StatusOr<v1::AssignBreakResponse> AssignBreak(const rpc::Call& call,
                                                      const v1::AssignBreakRequest& request);
  absl::StatusOr<v1::ResolveBreakResponse> ResolveBreak(const rpc::Call& call,
                                                        const v1::ResolveBreakRequest& request);

 private:
  postgres::Pool& pool_;
  const rpc::PageTokens page_tokens_;
};

}  // namespace guilder::settlement
