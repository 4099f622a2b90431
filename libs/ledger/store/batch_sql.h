// What a batch reads and writes of the ledger's tables.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "absl/status/status.h"

#include "libs/ledger/store/batch.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

// The highest format of a book that this code may write.
inline constexpr int kBookFormat = 1;

// Locks the rows of the books, in order, and reads them. Fails when a book is missing, or in a
// format that is newer than this code.
absl::Status LockBooks(postgres::Transaction& tx, const std::set<BookId>& books, BatchState& batch);

// What a command found of itself: its card, and when and under which configuration it was read.
struct LoadedAccounts {
  int64_t clock_us = 0;  // of the database
  int64_t config_version = 0;
  std::vector<CardView> cards;  // parallel to the commands
};

// Reads the database's clock, the configuration's version, and the accounts and cards of the
// commands.
LoadedAccounts LoadAccounts(postgres::Transaction& tx, ProgrammeId programme,
                            const std::vector<Command*>& commands, BatchState& batch);

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

// Writes everything that the batch decided. ClaimTakenMeanwhile when another transaction took a
// claim since FindClaims.
absl::Status WriteBatch(postgres::Transaction& tx, const BatchState& batch,
                        const Configuration& configuration);

}  // namespace guilder::ledger
