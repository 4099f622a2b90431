// What a book's accounts, lots, holds and positions must be, by its records alone. Pure.
#pragma once

#include <compare>
#include <map>

#include "absl/container/flat_hash_map.h"

#include "libs/base/types.h"
#include "libs/ledger/core/entry.h"
#include "libs/ledger/core/record.h"

namespace guilder::ledger {

struct AccountSums {
  Points pending;
  Points available;
  Points held;
  Points debt;
  Points expired;
  Points captured;
  Points refunded;
  // The last record of the snapshot in which the account's row was compared; none before that.
  RecordNumber seen_at;
};

struct LotSums {
  AccountId account;
  Points issued;
  Points pending;
  Points available;
  Points held;
  Points redeemed;
  Points captured;
  Points debt;
  // Of points that expired and were reversed after that, an entry names no lot: they are still
  // counted as expired here, so only the sum of both is exact.
  Points reversed;
  Points expired;
  bool seen = false;

  Points remaining() const { return pending + available + held; }
};

struct HoldSums {
  AccountId account;
  Points authorized;
  bool seen = false;
};

struct PositionKey {
  Timestamp window_start;
  ContractId contract;
  Movement movement{};
  friend auto operator<=>(const PositionKey&, const PositionKey&) = default;
};

struct BookModel {
  absl::flat_hash_map<AccountId, AccountSums> accounts;
  absl::flat_hash_map<LotId, LotSums> lots;
  absl::flat_hash_map<RecordNumber, HoldSums> holds;
  // Credits less debits.
  absl::flat_hash_map<AccountId, Points> control_accounts;
  std::map<PositionKey, Points> positions;

  // Adds the entries of a record that was posted in the window which starts there.
  void Add(const Record& record, Timestamp window_start);

 private:
  void AddSide(const Side& side, Points credit);
  void AddToLots(const Entry& entry);
};

}  // namespace guilder::ledger
