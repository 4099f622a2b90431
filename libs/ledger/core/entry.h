// Entries: movements of points between buckets, and what each means for the partners' positions.
#pragma once

#include <cstdint>
#include <string_view>

#include "libs/base/types.h"
#include "libs/ledger/core/account.h"

namespace guilder::ledger {

// One side of an entry. `lot` is none on control accounts, but where points that had expired are
// taken back: every entry that gives or takes points names their lot.
struct Side {
  AccountId account;
  Bucket bucket;
  LotId lot;
  friend bool operator==(const Side&, const Side&) = default;
};

// Moves `points` from `debit` to `credit`. `contract` is the version that prices the movement: the
// lot's issuance contract, or the redemption contract where points are redeemed or refunded; none
// where no partner is concerned.
struct Entry {
  Side debit;
  Side credit;
  Points points;
  ContractId contract;
  friend bool operator==(const Entry&, const Entry&) = default;
};

// What an entry means for a position. The numbers are stored.
enum class Movement : int16_t {
  kNone = 0,
  kIssued = 1,
  kActivated = 2,
  kReversedPending = 3,  // taken back before it was activated
  kReversed = 4,
  kRedeemed = 5,
  kRefunded = 6,
  kExpired = 7,
  kExpiredPending = 8,
  kReinstated = 9,  // came back from being expired
};

// Follows from the buckets alone, so that positions can be proved from entries.
Movement MovementOf(Bucket debit, Bucket credit);

// "ISSUED", "REVERSED_PENDING" …
std::string_view MovementName(Movement movement);

}  // namespace guilder::ledger
