// Answers the calls of guilder.redemption.v1.CatalogService about rewards.
#pragma once

#include "absl/status/statusor.h"
#include "guilder/redemption/v1/catalog_service.pb.h"

#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/names.h"
#include "services/redemption/rpc/catalog_proto.h"
#include "services/redemption/rpc/catalog_service.h"

namespace guilder::redemption {

// Thread safe. Each blocks on the database.
class RewardHandlers {
 public:
  explicit RewardHandlers(const CatalogServiceDependencies& dependencies);

  absl::StatusOr<v1::CreateRewardResponse> CreateReward(const rpc::Call& call,
                                                        const v1::CreateRewardRequest& request);
  absl::StatusOr<v1::UpdateRewardResponse> UpdateReward(const rpc::Call& call,
                                                        const v1::UpdateRewardRequest& request);
  absl::StatusOr<v1::GetRewardResponse> GetReward(const rpc::Call& call,
                                                  const v1::GetRewardRequest& request);
  absl::StatusOr<v1::ListRewardsResponse> ListRewards(const rpc::Call& call,
                                                      const v1::ListRewardsRequest& request);

 private:
  Currency currency() const;
  // Sets the ids of what a new reward names.
  static absl::Status LookUp(postgres::Transaction& tx, const RewardNames& names, Reward& reward);
  absl::StatusOr<RewardRow> Create(postgres::Transaction& tx, Reward reward,
                                   const RewardNames& names, int64_t stock, RewardChange change);
  absl::StatusOr<RewardRow> Update(postgres::Transaction& tx,
                                   const v1::UpdateRewardRequest& request, const std::string& slug,
                                   RewardChange change);

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  const rpc::PageTokens page_tokens_;
};

}  // namespace guilder::redemption
