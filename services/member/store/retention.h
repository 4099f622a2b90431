// What keeps a member's data for now. Each function runs in the caller's transaction.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"

#include "libs/base/types.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::member {

struct RetentionLock {
  AccountId account;
  std::string reason;
  Timestamp until;
  Timestamp locked_at;
  std::string locked_by;
};

// Gives the lock's id; that of a repeat. `request` tells callers apart. Errors: kMemberNotFound,
// kMemberErased, kRequestIdReused.
absl::StatusOr<int64_t> AddRetentionLock(postgres::Transaction& transaction,
                                         const RetentionLock& lock, const Uuid& request);
// Whose it is; nothing when there is no such lock.
std::optional<AccountId> LiftRetentionLock(postgres::Transaction& transaction, int64_t lock,
                                           Timestamp now);

// What comes before an erasure.
struct Postponement {
  std::string by;   // "retentionLocks/3", "disputes/7"
  Timestamp until;  // of a dispute: when it is decided at the latest
};

// The one that lasts longest: a retention lock, or an open dispute of what a partner posted to the
// account in the windows of the disputed settlement.
std::optional<Postponement> FindPostponement(postgres::Transaction& transaction, AccountId account,
                                             Timestamp now);

}  // namespace guilder::member
