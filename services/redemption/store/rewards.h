// The catalogue's rewards, their prices, and what changed them. Each function runs in the caller's
// transaction.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/redemption/domain/reward.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::redemption {

// A reward for showing: with the names of what it refers to, and what is left of it.
struct RewardRow {
  Reward reward;
  std::string supplier_slug;
  std::string store_code;
  std::vector<std::string> voucher_partners;
  Points remaining_stock;
};

// Nothing when there is no reward of that slug.
std::optional<RewardRow> FindReward(postgres::Transaction& tx, const std::string& slug);
// The same, locked against other changes until the commit.
std::optional<RewardRow> LockReward(postgres::Transaction& tx, const std::string& slug);
// Those after a slug, by slug.
std::vector<RewardRow> ListRewards(postgres::Transaction& tx, const std::string& after,
                                   bool withdrawn_too, int limit);

// What a decider needs of rewards: without names and stock.
std::map<RewardId, Reward> ReadRewards(postgres::Transaction& tx, const std::vector<RewardId>& ids);
// The id of a slug, which never changes.
std::optional<RewardId> FindRewardId(postgres::Transaction& tx, const std::string& slug);

// The store of a gift's supplier, and the partners that take a voucher, by their names.
struct SupplierId {
  PartnerId partner;
  StoreId store;
};
std::optional<SupplierId> FindSupplier(postgres::Transaction& tx, const std::string& partner_slug,
                                       const std::string& store_code);
// Refuses: kPartnerNotFound.
absl::StatusOr<std::vector<PartnerId>> FindPartners(postgres::Transaction& tx,
                                                    const std::vector<std::string>& slugs);

// The request that made or changed a reward.
struct RewardChange {
  Uuid request_id{};
  Digest fingerprint{};
  RewardId reward;
  std::string changed_by;
};
std::optional<RewardChange> FindChange(postgres::Transaction& tx, const Uuid& request_id);
// False where another transaction made that request first.
bool AddChange(postgres::Transaction& tx, const RewardChange& change);

// Nothing when there is a reward of that slug.
std::optional<RewardId> InsertReward(postgres::Transaction& tx, const Reward& reward);
// Writes what may change of a locked reward.
void UpdateReward(postgres::Transaction& tx, const Reward& reward);
void InsertPrice(postgres::Transaction& tx, RewardId reward, const Price& price);
// Says until when a price that was replaced is honoured.
void EndPrice(postgres::Transaction& tx, RewardId reward, const Price& price);

}  // namespace guilder::redemption
