// Answers what partners object to, and what is decided about it.
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
class DisputeHandlers {
 public:
  // The pool outlives the handlers.
  DisputeHandlers(postgres::Pool& pool, const security::Secrets& secrets);

  absl::StatusOr<v1::OpenDisputeResponse> OpenDispute(const rpc::Call& call,
                                                      const v1::OpenDisputeRequest& request);
  absl::StatusOr<v1::ResolveDisputeResponse> ResolveDispute(
      const rpc::Call& call, const v1::ResolveDisputeRequest& request);
  absl::StatusOr<v1::GetDisputeResponse> GetDispute(const rpc::Call& call,
                                                    const v1::GetDisputeRequest& request);
  absl::StatusOr<v1::ListDisputesResponse> ListDisputes(const rpc::Call& call,
                                                        const v1::ListDisputesRequest& request);
  absl::StatusOr<v1::GetDisputePolicyResponse> GetDisputePolicy(
      const rpc::Call& call, const v1::GetDisputePolicyRequest& request);
  absl::StatusOr<v1::UpdateDisputePolicyResponse> UpdateDisputePolicy(
      const rpc::Call& call, const v1::UpdateDisputePolicyRequest& request);

 private:
  postgres::Pool& pool_;
  const rpc::PageTokens page_tokens_;
};

}  // namespace guilder::settlement
