// The outbox of notices. Each function runs in the caller's transaction.
#pragma once

#include <utility>
#include <vector>

#include "libs/base/types.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::member {

struct NoticeRow {
  int64_t id = 0;
  AccountId account;
  Timestamp expires_at;
};

// Adds those that there are not, sent or not. Gives how many.
int64_t AddNotices(postgres::Transaction& transaction,
                   const std::vector<std::pair<AccountId, Timestamp>>& expiries, Timestamp now);
// Expiry and id, by which notices are ordered.
using NoticePlace = std::pair<Timestamp, int64_t>;
// Those to be sent of what expires after now, the soonest first, after one of them.
std::vector<NoticeRow> ReadNotices(postgres::Transaction& transaction, NoticePlace after,
                                   Timestamp now, int limit);
// False, when one of them is none; the transaction must not commit then.
bool MarkSent(postgres::Transaction& transaction, const std::vector<int64_t>& notices,
              Timestamp now);

}  // namespace guilder::member
