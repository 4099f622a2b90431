// Accounts, lots and holds from the columns in which lanes and readers select them.
#pragma once

#include "libs/ledger/core/state.h"
#include "libs/postgres/rows.h"

namespace guilder::ledger {

// From column `first` on: id, status, pending, available, held, debt, next_due_at_us,
// first_open_lot.
AccountState AccountFromRow(const postgres::Row& row, int first);

// From column 1 on: id, issuer, contract, issued, activates_at_us, expires_at_us, on_due, state,
// remaining, held, redeemed, reversed, expired, debt.
Lot LotFromRow(const postgres::Row& row);

// From column 1 on: number, partner, store, contract, authorized, expires_at_us, state; and from
// column `first_array` on: lot_ids, lot_held, lot_captured, lot_refunded.
Hold HoldFromRow(const postgres::Row& row, int first_array);

}  // namespace guilder::ledger
