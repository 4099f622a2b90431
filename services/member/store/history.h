// What happened to a member's account, from the journal and what stands beside it. Each function
// runs in the caller's transaction.
#pragma once

#include <vector>

#include "libs/base/types.h"
#include "services/member/domain/timeline.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::member {

// Where an entry stands.
struct EntryPlace {
  RecordNumber number;
  int line = 0;
};

struct EntryRow {
  EntryPlace place;
  Timestamp posted_at;
  ledger::RecordKind kind{};
  ledger::Entry entry;
};

// The entries of an account after a place, the oldest first; `limit` at most.
std::vector<EntryRow> ReadEntries(postgres::Transaction& transaction, AccountId account,
                                  const EntryPlace& after, int limit);

// The latest of each, `limit` at most, in no order.
std::vector<PostedRecord> ReadRecords(postgres::Transaction& transaction, AccountId account,
                                      int limit);
std::vector<Refusal> ReadRefusals(postgres::Transaction& transaction, AccountId account, int limit);
std::vector<ParkedItem> ReadParkedItems(postgres::Transaction& transaction, AccountId account,
                                        int limit);

}  // namespace guilder::member
