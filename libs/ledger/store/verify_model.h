// What a book's accounts, lots, holds and positions must be, by its records alone. Pure.
#pragma once

#include <algorithm>
#include <compare>
#include <vector>

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
  Points captured;
  Points refunded;
  // None while it is open.
  AccountId merged_into;
  // Whether a record closed it, other than by a merge.
  bool closed = false;
  // Until when lots live that live by activity, by the records that are activities or undo one.
  Timestamp active_until;
  // What its last record of a residence says; see AccountState.
  Timestamp spared_from;
  Timestamp spared_until;
  // The first record of the account, which opened it.
  RecordNumber opened_by;
  // The last record of the snapshot in which the account's row was compared; none before that.
  RecordNumber seen_at;
};

struct LotSums {
  AccountId account;
  // Terms.
  PartnerId issuer;
  ContractId contract;
  Timestamp activates_at;
  Timestamp expires_at;
  OnDue on_due{};
  LotOrigin origin;
  Restriction restricted_to;
  bool lives_by_activity = false;
  // Set by the last record that gave back to it after it had expired, or by which it expired late.
  Timestamp restored_until;
  bool seen = false;

  Points issued;
  Points pending;
  Points available;
  Points held;
  Points redeemed;
  Points reversed;
  Points expired;
  Points forfeited;
  Points debt;
  Points moved;
  // Of all captures, refunds and repaid debts not subtracted: what holds say of it.
  Points captured;

  // When it ends by its own dates alone, and in an account.
  Timestamp own_end() const { return std::max(expires_at, restored_until); }
  Timestamp EndIn(const AccountSums& account) const {
    const Timestamp end = lives_by_activity ? std::max(own_end(), account.active_until) : own_end();
    const bool spared = account.spared_from <= end && end < account.spared_until;
    return spared ? account.spared_until : end;
  }
  Points remaining() const { return pending + available + held; }
  // What no partner issued into this lot: it came from another one.
  Points arrived() const { return origin.account ? issued : Points(0); }
};

struct HeldPart {
  LotId lot;
  Points points;
  friend bool operator==(const HeldPart&, const HeldPart&) = default;
};

struct HoldSums {
  AccountId account;
  PartnerId partner;
  StoreId store;
  ContractId contract;
  Points authorized;
  Timestamp expires_at;
  bool reviewed = false;
  bool released = false;
  bool voided = false;
  bool seen = false;
  // As it was opened.
  std::vector<HeldPart> parts;
};

struct PositionKey {
  Timestamp window_start;
  ContractId contract;
  Movement movement{};
  friend auto operator<=>(const PositionKey&, const PositionKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const PositionKey& key) {
    return H::combine(std::move(h), key.window_start.value(), key.contract, key.movement);
  }
};

struct BookModel {
  absl::flat_hash_map<AccountId, AccountSums> accounts;
  absl::flat_hash_map<LotId, LotSums> lots;
  absl::flat_hash_map<RecordNumber, HoldSums> holds;
  // Credits less debits.
  absl::flat_hash_map<AccountId, Points> control_accounts;
  absl::flat_hash_map<PositionKey, Points> positions;

  // Adds the entries of a record that was posted in the window which starts there.
  void Add(const Record& record, Timestamp window_start);
};

}  // namespace guilder::ledger
