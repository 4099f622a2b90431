// Accounts, lots and holds as their tables have them, and what they must say of each other. For
// libs/ledger/store/verify*.cc.
#pragma once

#include <string>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/core/state.h"
#include "libs/ledger/store/verify_findings.h"
#include "libs/ledger/store/verify_model.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

struct StoredLot {
  LotId id;
  LotState state{};
  // Without what holds captured of it.
  LotSums sums;

  Points free() const { return sums.pending + sums.available; }
  bool closed() const { return sums.remaining() == Points(0) && sums.debt == Points(0); }
};

struct StoredHold {
  Hold hold;
  AccountId account;
  // As the row sums its parts.
  Points captured;
  Points refunded;
  // Whether its parts have an amount each.
  bool whole = true;
};

struct StoredAccount {
  AccountId id;
  // Captured and refunded are the sums of its holds.
  AccountSums sums;
  AccountStatus status{};
  Timestamp next_due_at;
  LotId first_open_lot;
  std::vector<StoredLot> lots;
  std::vector<StoredHold> holds;

  // What holds captured of a lot.
  Points CapturedOf(LotId lot) const;
};

// Reads the accounts after `after` and up to `until`, at most `limit` of them, with their lots and
// holds. Lots and holds without an account are reported.
std::vector<StoredAccount> ReadAccounts(postgres::Transaction& transaction, BookId book,
                                        AccountId after, AccountId until, int limit,
                                        Findings& findings);

// Reports what does not agree among the rows of one account.
void CheckAgreement(BookId book, const StoredAccount& account, Findings& findings);

// "lot 3-1024" …
std::string NameOf(AccountId account);
std::string NameOfLot(BookId book, LotId lot);
std::string NameOfHold(BookId book, RecordNumber hold);

}  // namespace guilder::ledger
