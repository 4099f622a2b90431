// Answers the calls that move members' points, in MemberService and PointsService: translates, asks
// domain, store and ledger, translates.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "guilder/member/v1/member_service.pb.h"
#include "guilder/member/v1/points_service.pb.h"

#include "libs/base/types.h"
#include "libs/ledger/store/lanes.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/names.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/residence_teller.h"
#include "services/member/store/adjustments.h"
#include "services/member/store/moves.h"

namespace guilder::member {

// Thread safe. Blocks on the database and on lanes: it runs on the runtime's workers.
class PointsHandlers {
 public:
  explicit PointsHandlers(const MemberServiceDependencies& dependencies);

  // transfer_handlers.cc
  absl::StatusOr<v1::TransferPointsResponse> TransferPoints(
      const rpc::Call& call, const v1::TransferPointsRequest& request);
  absl::StatusOr<v1::ReverseTransferResponse> ReverseTransfer(
      const rpc::Call& call, const v1::ReverseTransferRequest& request);
  absl::StatusOr<v1::MergeMembersResponse> MergeMembers(const rpc::Call& call,
                                                        const v1::MergeMembersRequest& request);

  // adjustment_handlers.cc
  absl::StatusOr<v1::AdjustPointsResponse> AdjustPoints(const rpc::Call& call,
                                                        const v1::AdjustPointsRequest& request);
  absl::StatusOr<v1::ApproveAdjustmentResponse> ApproveAdjustment(
      const rpc::Call& call, const v1::ApproveAdjustmentRequest& request);
  absl::StatusOr<v1::RejectAdjustmentResponse> RejectAdjustment(
      const rpc::Call& call, const v1::RejectAdjustmentRequest& request);
  absl::StatusOr<v1::ListAdjustmentsResponse> ListAdjustments(
      const rpc::Call& call, const v1::ListAdjustmentsRequest& request);
  absl::StatusOr<v1::ReportAdjustmentsResponse> ReportAdjustments(
      const rpc::Call& call, const v1::ReportAdjustmentsRequest& request);

  // reinstatement_handler.cc
  absl::StatusOr<v1::ReinstatePointsResponse> ReinstatePoints(
      const rpc::Call& call, const v1::ReinstatePointsRequest& request);

  // expiry_handlers.cc
  absl::StatusOr<v1::PreviewExpiryResponse> PreviewExpiry(const rpc::Call& call,
                                                          const v1::PreviewExpiryRequest& request);
  absl::StatusOr<v1::SweepExpiryResponse> SweepExpiry(const rpc::Call& call,
                                                      const v1::SweepExpiryRequest& request);

  // points_policy_handlers.cc
  absl::StatusOr<v1::GetPointsPolicyResponse> GetPointsPolicy(
      const rpc::Call& call, const v1::GetPointsPolicyRequest& request);
  absl::StatusOr<v1::UpdatePointsPolicyResponse> UpdatePointsPolicy(
      const rpc::Call& call, const v1::UpdatePointsPolicyRequest& request);

 private:
  ProgrammeId programme() const { return lanes_.configuration()->programme().id; }
  // The policy in force, with the defaults for what was never set.
  absl::StatusOr<v1::PointsPolicy> ReadPolicy(const rpc::Call& call) const;
  // The member that a name stands for: of a merged account, the one that goes on. Error:
  // kMemberNotFound.
  absl::StatusOr<AccountId> Resolve(const rpc::Call& call, AccountId account) const;
  absl::StatusOr<AccountId> TargetOf(const rpc::Call& call,
                                     const v1::TransferPointsRequest& request) const;
  // Writes the command and waits for its answer.
  absl::StatusOr<ledger::Answer> Post(const rpc::Call& call,
                                      std::unique_ptr<ledger::Command> command) const;

  absl::StatusOr<v1::AdjustPointsResponse> PostAdjustment(const rpc::Call& call,
                                                          const Adjustment& adjustment);
  v1::Adjustment ToProto(const Adjustment& adjustment) const;

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  TransferRows transfer_rows_;
  ReversalRows reversal_rows_;
  MergeRows merge_rows_;
  AdjustmentRows adjustment_rows_;
  const Vault vault_;
  ResidenceTeller residences_;
  const rpc::PageTokens page_tokens_;
};

}  // namespace guilder::member
