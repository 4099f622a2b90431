// What a batch reads and writes of the ledger's tables.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/ledger/store/allowances.h"
#include "libs/ledger/store/batch.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

// What travels with a batch's `begin`: locks the rows of its books, in order, then these
// allowances, and then, in a statement of its own, reads all that, the configuration's version, and
// the accounts and cards of the commands.
std::vector<postgres::Call> LockAndLoad(ProgrammeId programme,
                                        const std::vector<Command*>& commands,
                                        const std::set<Allowances::Key>& allowances);

struct Loaded {
  int64_t config_version = 0;
  std::vector<CardView> cards;  // parallel to the commands
};

// Takes the answer of LockAndLoad into the batch. Fails when a book is missing, or in a format that
// is newer than this code.
absl::StatusOr<Loaded> ReadLoaded(const postgres::Rows& rows, const std::vector<Command*>& commands,
                                  BatchState& batch, Allowances& allowances);

// Reads the lots, from the one given on, and the holds of the accounts: open ones and those named.
void LoadLotsAndHolds(postgres::Transaction& tx, const std::map<AccountId, LotId>& from,
                      const std::set<RecordNumber>& named_holds, BatchState& batch);

// A claim that is taken, and the record that has it.
struct TakenClaim {
  Uuid key{};
  Answer answer;
  Digest fingerprint{};
};

// Of these keys, those that are taken.
std::vector<TakenClaim> FindClaims(postgres::Transaction& tx, const std::vector<Uuid>& keys);

// A refusal, for the bounded log.
struct LoggedRefusal {
  const Command* command;
  absl::Status status;
  Timestamp at;
};

void WriteRefusals(postgres::Transaction& tx, const std::vector<LoggedRefusal>& refusals);

// Writes what is spared of accounts of which it changed; such batches are rare.
void SpareAccounts(postgres::Transaction& tx, const BatchState& batch);

// Writes everything that the batch decided; the last statement may travel with the commit. Fails
// the transaction, as IsClaimTaken tells, when another one took a claim since FindClaims.
void WriteBatch(postgres::Transaction& tx, const BatchState& batch,
                const std::map<Allowances::Key, Points>& allowance_changes,
                const Configuration& configuration);

}  // namespace guilder::ledger
