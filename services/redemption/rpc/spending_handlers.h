// Answers the calls of guilder.redemption.v1.SpendingService.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "guilder/redemption/v1/spending_service.pb.h"

#include "libs/ledger/store/lanes.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/handlers.h"
#include "libs/rpc/names.h"
#include "libs/security/pin.h"
#include "services/redemption/rpc/commands.h"
#include "services/redemption/rpc/spending_service.h"
#include "services/redemption/store/reviews.h"

namespace guilder::redemption {

// Thread safe. Releasing and rejecting answer later; the others run on the runtime's workers.
class SpendingHandlers {
 public:
  explicit SpendingHandlers(const SpendingServiceDependencies& dependencies);

  absl::StatusOr<v1::GetRedemptionPolicyResponse> GetRedemptionPolicy(
      const rpc::Call& call, const v1::GetRedemptionPolicyRequest& request);
  absl::StatusOr<v1::UpdateRedemptionPolicyResponse> UpdateRedemptionPolicy(
      const rpc::Call& call, const v1::UpdateRedemptionPolicyRequest& request);
  absl::StatusOr<v1::SetPinResponse> SetPin(const rpc::Call& call,
                                            const v1::SetPinRequest& request);
  absl::StatusOr<v1::CreateOneTimeCodeResponse> CreateOneTimeCode(
      const rpc::Call& call, const v1::CreateOneTimeCodeRequest& request);
  absl::StatusOr<v1::GetSpendingStateResponse> GetSpendingState(
      const rpc::Call& call, const v1::GetSpendingStateRequest& request);
  absl::StatusOr<v1::UnlockSpendingResponse> UnlockSpending(
      const rpc::Call& call, const v1::UnlockSpendingRequest& request);
  absl::StatusOr<v1::ListReviewsResponse> ListReviews(const rpc::Call& call,
                                                      const v1::ListReviewsRequest& request);
  void ReleaseReview(std::shared_ptr<const rpc::Call> call, const v1::ReleaseReviewRequest& request,
                     rpc::Responder<v1::ReleaseReviewResponse> respond);
  void RejectReview(std::shared_ptr<const rpc::Call> call, const v1::RejectReviewRequest& request,
                    rpc::Responder<v1::RejectReviewResponse> respond);

 private:
  template <typename Response, typename Request>
  void DecideReview(std::shared_ptr<const rpc::Call> call, const Request& request, bool released,
                    rpc::Responder<Response> respond);

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  rpc::WorkerPool& workers_;
  const security::PinHasher pins_;
  const rpc::PageTokens page_tokens_;
  RedemptionRows rows_;
};

}  // namespace guilder::redemption
