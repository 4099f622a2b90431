// Reads accounts as of now, without a lane.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/decision_context.h"
#include "libs/ledger/core/state.h"

namespace guilder::postgres {
class Pool;
class Transaction;
}  // namespace guilder::postgres

namespace guilder::ledger {

// An account brought up to `now`: what fell due is activated, released or expired, whether or not a
// record says so yet.
struct AccountAsOfNow {
  AccountState state;
  // The programme's clock, or the book's last posted time if that is later.
  Timestamp now;
};

// Whom a reader asks for: a member's account, or the account of a card, blocked ones included.
struct AccountKey {
  AccountId account;
  CardNumber card;
};

// Reads many accounts in one round trip, and one more for each where something is due. Parallel to
// the keys: kMemberNotFound or kCardNotFound where there is none. Lots and holds are given only
// where something was due. Errors: kQueueFull, kStoreUnavailable.
absl::StatusOr<std::vector<absl::StatusOr<AccountAsOfNow>>> ReadAccounts(
    postgres::Pool& pool, const std::vector<AccountKey>& keys);

// A card as it is now; not found for a number that no card has. Runs in the caller's transaction.
CardView ReadCard(postgres::Transaction& transaction, CardNumber card);

// With all lots from the first open one on, and the open holds, as of one instant. With `lot` all
// lots from that one on, if it is earlier; with `hold` also that one, closed or not. Runs in the
// caller's transaction; nothing when there is no such account.
std::optional<AccountAsOfNow> ReadAccountWithLots(postgres::Transaction& transaction,
                                                  AccountId account, LotId lot = LotId(),
                                                  RecordNumber hold = RecordNumber());

// The same as the tables have it: what fell due by time alone has not happened.
std::optional<AccountAsOfNow> ReadAccountAsStored(postgres::Transaction& transaction,
                                                  AccountId account);

}  // namespace guilder::ledger
