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
// Those to be sent after one of them, oldest first.
std::vector<NoticeRow> ReadNotices(postgres::Transaction& transaction, int64_t after, int limit);
// False, when one of them is none; the transaction must not commit then.
bool MarkSent(postgres::Transaction& transaction, const std::vector<int64_t>& notices,
              Timestamp now);

}  // namespace guilder::member
