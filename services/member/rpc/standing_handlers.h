// Answers the calls of guilder.member.v1.StandingService: translates, asks domain and store,
// translates.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "guilder/member/v1/standing_service.pb.h"

#include "libs/base/types.h"
#include "libs/ledger/store/lanes.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/names.h"
#include "services/member/domain/standing.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/member_view.h"
#include "services/member/rpc/residence_teller.h"

namespace guilder::member {

// Thread safe. Blocks on the database: it runs on the runtime's workers.
class StandingHandlers {
 public:
  explicit StandingHandlers(const MemberServiceDependencies& dependencies);

  absl::StatusOr<v1::SetTierResponse> SetTier(const rpc::Call& call,
                                              const v1::SetTierRequest& request);
  absl::StatusOr<v1::ListTierChangesResponse> ListTierChanges(
      const rpc::Call& call, const v1::ListTierChangesRequest& request);
  absl::StatusOr<v1::AddSegmentResponse> AddSegment(const rpc::Call& call,
                                                    const v1::AddSegmentRequest& request);
  absl::StatusOr<v1::RemoveSegmentResponse> RemoveSegment(const rpc::Call& call,
                                                          const v1::RemoveSegmentRequest& request);
  absl::StatusOr<v1::ListSegmentsResponse> ListSegments(const rpc::Call& call,
                                                        const v1::ListSegmentsRequest& request);
  // residence_handlers.cc
  absl::StatusOr<v1::SetResidenceResponse> SetResidence(const rpc::Call& call,
                                                        const v1::SetResidenceRequest& request);
  absl::StatusOr<v1::ListResidencesResponse> ListResidences(
      const rpc::Call& call, const v1::ListResidencesRequest& request);

 private:
  // The account that a name stands for: of a merged one, the one that goes on.
  absl::StatusOr<AccountId> Resolve(const rpc::Call& call, postgres::Transaction& transaction,
                                    std::string_view name) const;
  Timestamp ReadClock(postgres::Transaction& transaction) const;

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  const MemberView view_;
  ResidenceTeller residences_;
  const rpc::PageTokens page_tokens_;
};

v1::TierChange ToProto(const TierChange& change);
v1::Residence ToProto(const Residence& residence);
v1::SegmentMembership ToProto(const SegmentTime& time);

}  // namespace guilder::member
