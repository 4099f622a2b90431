// Compares the tables of a book with the model that its journal gave. For
// libs/ledger/store/verify*.cc.
//
// Each function runs in a snapshot that the replay has caught up with.
#pragma once

#include <map>
#include <optional>

#include "libs/base/types.h"
#include "libs/ledger/store/verify_findings.h"
#include "libs/ledger/store/verify_model.h"
#include "libs/ledger/store/verify_replay.h"
#include "libs/ledger/store/verify_rows.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

// A book and its model, up to a record.
struct Replayed {
  BookId book;
  RecordNumber number;
  BookModel& model;
};

struct IssuerTotals {
  Points issued;
  Points remaining;
  Points redeemed;
  Points expired;
  Points reversed;
  Points debt;
  Points moved;
  Points arrived;

  void Add(const LotSums& lot);
  void Subtract(const LotSums& lot);
};

// Of the rows that were compared. They are of many snapshots, so accounts and lots count by how far
// they are off, which must be nothing in each.
struct StoredTotals {
  Points accounts_off;
  std::map<PartnerId, IssuerTotals> issuers_off;
  std::map<AccountId, Points> control_accounts;
};

// Compares the accounts after `after`, at most `limit` of them, with their lots and holds. Gives
// the last account, or nothing when there are no more.
std::optional<AccountId> CompareAccounts(postgres::Transaction& transaction,
                                         const Replayed& replayed, AccountId after, int limit,
                                         StoredTotals& totals, Findings& findings);

// In the snapshot in which CompareAccounts gave none: what the entries speak of and no table has.
void FindMissing(const Replayed& replayed, Findings& findings);

// Compares the positions after `after`, at most `limit` of them. Gives the last one, or nothing
// when there are no more.
std::optional<PositionKey> ComparePositions(postgres::Transaction& transaction,
                                            const Replayed& replayed, const PositionKey& after,
                                            int limit, Findings& findings);

void CompareControlAccounts(postgres::Transaction& transaction, const Replayed& replayed,
                            StoredTotals& totals, Findings& findings);

// In the snapshot of CompareControlAccounts: the sums of the whole book, from what was compared.
void CheckTotals(const Replayed& replayed, const StoredTotals& totals, Findings& findings);

// Reports records and entries outside of the numbers that the book has given out, and merges of
// accounts that there are not.
void FindOutside(postgres::Transaction& transaction, const Replayed& replayed, Findings& findings);

}  // namespace guilder::ledger
