// Posts to the money ledger. Each function runs in the caller's transaction.
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/settlement/domain/money.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::settlement {

struct PostedMoney {
  MoneyNumber number;
  Timestamp posted_at;
  // It had been posted before, under the same key.
  bool replayed = false;
};

// Posts a transaction after all that were posted before: it gets the next number, a posted time
// that is not before theirs and in no sealed window, and its leaf in the tree. The only function
// that writes the money ledger. Holds the ledger's head until the commit, so it comes late.
//
// Errors: as CheckMoney; REQUEST_ID_REUSED, other money was posted under that key.
absl::StatusOr<PostedMoney> PostMoney(postgres::Transaction& transaction,
                                      const MoneyTransaction& money);

}  // namespace guilder::settlement
