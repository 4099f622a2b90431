// Reads accounts as of now, without a lane.
#pragma once

#include <optional>

#include "libs/base/types.h"
#include "libs/ledger/core/state.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::ledger {

// An account brought up to `now`: what fell due is activated, released or expired, whether or not a
// record says so yet.
struct AccountAsOfNow {
  AccountState state;
  // The programme's clock, or the book's last posted time if that is later.
  Timestamp now;
};

// Each runs in the caller's transaction. Nothing when there is no such account or card; a blocked
// card still has its account.

// Take one statement when nothing is due, and then give no lots and no holds; otherwise one more.
std::optional<AccountAsOfNow> ReadAccount(postgres::Transaction& transaction, AccountId account);
std::optional<AccountAsOfNow> ReadAccountOfCard(postgres::Transaction& transaction,
                                                CardNumber card);

// With all lots from the first open one on, and the open holds, as of one instant.
std::optional<AccountAsOfNow> ReadAccountWithLots(postgres::Transaction& transaction,
                                                  AccountId account);

}  // namespace guilder::ledger
