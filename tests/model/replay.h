// The journal, replayed on the reference model.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "libs/ledger/store/command.h"
#include "libs/ledger/store/journal.h"
#include "tests/model/check.h"
#include "tests/model/reference_model.h"

namespace guilder::model {

// What a claim belongs to.
struct ClaimOwner {
  ledger::JournalPlace place;
  Digest fingerprint{};
  // The wave of the step that posted it.
  int wave = 0;
};

// An account of the model.
struct ReplayedAccount {
  Account model;
  size_t history = 0;
  BookId book;
  RecordNumber opened_by;
  Timestamp posted_at;
};

// What follows from the journal of all books by the model alone.
struct Replayed {
  std::map<AccountId, ReplayedAccount> accounts;
  std::map<std::tuple<BookId, ledger::Bucket, PartnerId>, Points> control_accounts;
  // By book, start of the window, contract and movement.
  std::map<std::tuple<BookId, Timestamp, ContractId, ledger::Movement>, Points> positions;
  std::map<Uuid, ClaimOwner> claims;
  // By book: the posted time of each record, in order.
  std::map<BookId, std::vector<Timestamp>> posted;
};

// Replays records, each book's in order, with the boundaries of windows on demand. Gives a failure,
// or fills `replayed`.
std::optional<Failure> Replay(const std::vector<ledger::StoredRecord>& records,
                              const std::set<Timestamp>& boundaries,
                              const std::vector<Played>& played, Replayed& replayed);

}  // namespace guilder::model
