// Compares the tables of a book with the model that its journal gave. For
// libs/ledger/store/verify*.cc.
//
// Each function runs in a snapshot that the replay has caught up with.
#pragma once

#include <optional>

#include "libs/base/types.h"
#include "libs/ledger/store/verify_findings.h"
#include "libs/ledger/store/verify_replay.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

// Compares the accounts after `after`, at most `limit` of them, with their lots and holds. Gives
// the last account, or nothing when there are no more.
std::optional<AccountId> CompareAccounts(postgres::Transaction& transaction, JournalReplay& replay,
                                         AccountId after, int limit, Findings& findings);

// In the snapshot in which CompareAccounts gave none: what the entries speak of and no table has.
void FindMissing(JournalReplay& replay, Findings& findings);

// Compares the positions after `after`, at most `limit` of them. Gives the last one, or nothing
// when there are no more.
std::optional<PositionKey> ComparePositions(postgres::Transaction& transaction,
                                            JournalReplay& replay, const PositionKey& after,
                                            int limit, Findings& findings);

// Control accounts, and the sums of the whole book.
void CompareTotals(postgres::Transaction& transaction, JournalReplay& replay, Findings& findings);

}  // namespace guilder::ledger
