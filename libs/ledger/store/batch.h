// One batch of commands: loaded, decided and written in one transaction.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/merkle.h"
#include "libs/ledger/core/record.h"
#include "libs/ledger/core/state.h"
#include "libs/ledger/store/allowances.h"
#include "libs/ledger/store/command.h"
#include "libs/ledger/store/seals.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

// A book's row, locked by this transaction.
struct BookState {
  BookId id;
  std::string secret;
  Timestamp last_posted_at;
  int64_t last_serial = 0;
  Frontier frontier;
  bool changed = false;
  // What is spared of it changed.
  bool newly_spared = false;
};

// An account as it was loaded and as the batch leaves it.
struct AccountEntry {
  AccountState state;
  std::vector<Lot> loaded_lots;
  std::vector<Hold> loaded_holds;
  bool found = false;
  bool changed = false;
  // What is spared of it changed.
  bool newly_spared = false;
  RecordNumber opened_by;
};

// An account that was merged: what it still gets goes on to another.
struct Forward {
  AccountId account;
  AccountId into;
};

// What a batch knows and what it will write, apart from SQL.
struct BatchState {
  // Of all its records: the programme's clock, or the latest posted time of its books if that is
  // later.
  Timestamp posted_at;
  std::map<BookId, BookState> books;
  std::map<AccountId, AccountEntry> accounts;
  std::vector<Record> records;

  // Parallel to `records`: the leaf of each, and the claim of its request id.
  std::vector<Digest> leaves;
  std::vector<Uuid> request_claims;

  // Accounts that were merged, and into which.
  std::vector<Forward> forwards;

  // The heads of books at the boundaries that they pass, if something is posted to them.
  std::vector<Seal> seals;
};

// What came of each command: parallel to the commands of the batch. Says nothing of a command that
// was not decided (`needed_allowance`, `comes_after_waiting`, `account_merged`).
using Outcomes = std::vector<absl::StatusOr<Answer>>;

// Whether a batch looks its claims up before it decides. Most batches hold no repeat, so the first
// run leaves it to the insert to find one; a run that found one is run again, and looks first.
enum class Claims { kFoundByInsert, kLookedUp };

// The status of a batch that met a claim which it had not looked up, or which another lane
// committed meanwhile: to be run again with Claims::kLookedUp.
absl::Status ClaimTaken();
bool IsClaimTaken(const absl::Status& status);

class AccountMemory;

// What a lane brings to each of its batches.
struct LaneState {
  // The latest that it read; replaced when a newer version is in force.
  std::shared_ptr<const Configuration> configuration;
  AccountMemory* memory;
};

// Steps 2 to 4 of a lane: reads, decides and writes, in a transaction that began with LockAndLoad
// of the allowances `locked`, whose answer is `loaded`. The caller commits, and only then answers
// and remembers what was `left`. Fails as a whole only when the transaction must not commit.
absl::StatusOr<Outcomes> RunBatch(postgres::Transaction& tx, const postgres::Rows& loaded,
                                  const std::vector<Command*>& commands,
                                  const std::set<Allowances::Key>& locked, Claims claims,
                                  LaneState& lane, BatchState& left);

}  // namespace guilder::ledger
