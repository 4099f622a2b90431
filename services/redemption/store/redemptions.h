// Redemptions, as the ledger's holds have them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/base/bounded_cache.h"
#include "libs/base/types.h"
#include "libs/ledger/core/state.h"
#include "services/redemption/domain/redemption.h"

namespace guilder::postgres {
class Pool;
class Transaction;
}  // namespace guilder::postgres

namespace guilder::redemption {

// What never changes of a redemption, and says where its commands go.
struct RedemptionOwner {
  AccountId account;
  PartnerId partner;
};

// Finds the owners of redemptions, from memory where it can. Thread safe.
class RedemptionDirectory {
 public:
  // The pool outlives it. So many redemptions, some 100 bytes each, are remembered at most.
  explicit RedemptionDirectory(postgres::Pool& pool, size_t capacity = 200'000)
      : pool_(pool), cache_(capacity) {}

  // Never blocks.
  std::optional<RedemptionOwner> FindCached(const RedemptionId& redemption) const;
  // Errors: kRedemptionNotFound, kQueueFull, kStoreUnavailable.
  absl::StatusOr<RedemptionOwner> Find(const RedemptionId& redemption, absl::Time deadline);

  void Add(const RedemptionId& redemption, const RedemptionOwner& owner);

 private:
  postgres::Pool& pool_;
  // By record number × 65,536 + book.
  BoundedCache<int64_t, RedemptionOwner> cache_;
};

// What one lot gives.
struct RedemptionPartRow {
  std::string issuer_slug;
  Points held;
  Points captured;
  Points refunded;
  Timestamp expires_at;
  Timestamp restored_until;
};

struct RedemptionRow {
  PartnerId partner;
  std::string partner_slug;
  std::string store_code;
  ledger::HoldState state{};  // as of now: an open hold whose time is over has ended
  Points authorized;
  Points captured;
  Points refunded;
  Timestamp expires_at;
  Currency currency{};
  int64_t rate_micros = 0;
  std::vector<RedemptionPartRow> parts;
};

// Runs in the caller's transaction. Nothing when there is no such redemption.
std::optional<RedemptionRow> ReadRedemption(postgres::Transaction& transaction,
                                            const RedemptionId& redemption);

// The redemption that a partner's request authorized, or acted on.
std::optional<RedemptionId> FindByRequest(postgres::Transaction& transaction, PartnerId partner,
                                          const Uuid& request_id);
// The last redemption for a partner's order, whoever's points they are.
std::optional<RedemptionId> FindByOrder(postgres::Transaction& transaction, PartnerId partner,
                                        const std::string& reference);

}  // namespace guilder::redemption
