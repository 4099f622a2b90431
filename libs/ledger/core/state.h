// What a member's account is: balances, lots and holds, as a command finds them.
#pragma once

#include <algorithm>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/core/account.h"
#include "libs/ledger/core/restriction.h"

namespace guilder::ledger {

enum class LotState : int16_t { kPending = 0, kActive = 1 };

// What happens to a pending lot on its date when nobody confirmed or cancelled it.
enum class OnDue : int16_t { kActivate = 0, kCancel = 1 };

// Where points that came from another account, or back from being expired, were issued first.
struct LotOrigin {
  AccountId account;
  LotId lot;
  friend bool operator==(const LotOrigin&, const LotOrigin&) = default;
};

// Which of the lots that may pay are spent first: what expires first and of those the older, or
// the older. The numbers are stored.
enum class ConsumptionOrder : int16_t { kFirstExpiring = 0, kFirstIn = 1 };

// What points are about to be spent on.
struct Spending {
  PartnerId partner;
  bool gift = false;
};

// Points of one origin: one issuer, one price, one life.
//
// Always issued + debt = remaining + redeemed + reversed + expired + moved.
struct Lot {
  LotId id;
  // Terms: they never change, and the leaf of the record that created the lot digests them.
  PartnerId issuer;
  ContractId contract;
  Points issued;
  Timestamp activates_at;
  Timestamp expires_at;  // kNever for no expiry
  OnDue on_due = OnDue::kActivate;
  // None for points that a partner issued into this lot.
  LotOrigin origin;
  Restriction restricted_to;
  // Whether the member's activity lets it live longer than `expires_at`.
  bool lives_by_activity = false;

  // Until when it lives, or lived, beyond `expires_at`: points that came back after it had expired,
  // or when it expired at last, having lived by activity. Zero when there is no such date. Follows
  // from the journal.
  Timestamp restored_until;
  LotState state = LotState::kPending;
  Points remaining;  // held points included
  Points held;
  Points redeemed;
  Points reversed;
  Points expired;
  // Of `expired`, what was taken as a fee or by staff: nobody gives that back as expired.
  Points forfeited;
  // Reversed after they had been spent or while they are held: what the member owes for this lot.
  Points debt;
  // What left for other lots, less what came back. Below zero where others paid what it owed.
  Points moved;

  Points free() const { return remaining - held; }
  // When what is free of it expires by its own dates alone; see AccountState::EndOf.
  Timestamp ends_at() const { return std::max(expires_at, restored_until); }
  bool MayPay(const Spending& spending) const {
    return restricted_to.Admits(spending.partner, spending.gift);
  }
  // What expired by time alone, or with the account.
  Points lapsed() const { return expired - forfeited; }
  // A closed lot has nothing left to spend, expire or repay.
  bool closed() const { return remaining == Points(0) && debt == Points(0); }
  friend bool operator==(const Lot&, const Lot&) = default;
};

// In review, nothing is captured until somebody releases it.
enum class HoldState : int16_t {
  kOpen = 0,
  kCaptured = 1,
  kVoided = 2,
  kExpired = 3,
  kInReview = 4
};

// What one lot gives to a hold.
struct HoldPart {
  LotId lot;
  Points held;      // still held
  Points captured;  // taken so far, refunds not subtracted
  Points refunded;
  friend bool operator==(const HoldPart&, const HoldPart&) = default;
};

// Points set aside for a redemption. Named by the record that made it.
struct Hold {
  RecordNumber number;
  PartnerId partner;
  StoreId store;
  // The redemption contract in force when it was made: it prices captures and refunds.
  ContractId contract;
  Points authorized;
  Timestamp expires_at;
  // Whether it was opened to be reviewed.
  bool reviewed = false;
  HoldState state = HoldState::kOpen;
  std::vector<HoldPart> parts;

  // Whether it still holds something.
  bool open() const { return state == HoldState::kOpen || state == HoldState::kInReview; }
  Points held() const;
  Points captured() const;
  Points refunded() const;
  friend bool operator==(const Hold&, const Hold&) = default;
};

// A merged account is closed, too: what it still gets goes on to the account that it was merged
// into.
enum class AccountStatus : int16_t { kOpen = 0, kClosed = 1, kMerged = 2 };

struct AccountState {
  AccountId id;
  AccountStatus status = AccountStatus::kOpen;
  Points pending;
  Points available;
  Points held;
  Points debt;
  // Nothing changes by time alone before this instant.
  Timestamp next_due_at = kNever;
  // Every lot before this one is closed.
  LotId first_open_lot;
  // Until when lots live at least that live by activity. Zero when nothing counted yet.
  Timestamp active_until;
  // What would end in [spared_from, spared_until) ends at spared_until instead: meanwhile the
  // member lives where points do not expire by time. Nothing is spared when these are equal.
  Timestamp spared_from;
  Timestamp spared_until;

  // All lots from `first_open_lot` on when `lots_loaded`; otherwise only those created since
  // loading. By id.
  bool lots_loaded = false;
  std::vector<Lot> lots;
  // Open holds, and those that commands name. By number.
  std::vector<Hold> holds;

  // When what is free of the lot expires, wherever its member lives.
  Timestamp OwnEndOf(const Lot& lot) const {
    return lot.lives_by_activity ? std::max(lot.ends_at(), active_until) : lot.ends_at();
  }
  // When what is free of the lot expires, as things are now.
  Timestamp EndOf(const Lot& lot) const { return Spared(OwnEndOf(lot)); }
  Timestamp Spared(Timestamp end) const {
    return spared_from <= end && end < spared_until ? spared_until : end;
  }
  bool IsSparedAs(const AccountState& other) const {
    return spared_from == other.spared_from && spared_until == other.spared_until;
  }
  Lot* FindLot(LotId lot);
  Hold* FindHold(RecordNumber number);
  friend bool operator==(const AccountState&, const AccountState&) = default;
};

// The earliest instant at which something of the account changes by time alone, from its lots and
// holds.
Timestamp NextDue(const AccountState& state);

}  // namespace guilder::ledger
