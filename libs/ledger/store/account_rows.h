// Accounts, lots and holds from the columns in which lanes and readers select them.
#pragma once

#include <vector>

#include "libs/ledger/core/state.h"
#include "libs/postgres/packed_rows.h"
#include "libs/postgres/rows.h"

namespace guilder::ledger {

// From `restricted_to` and `restricted_partners`.
Restriction RestrictionOf(PartnerId where, const std::vector<int64_t>& listed);
// From the next two columns of a row, which are these.
Restriction RestrictionOf(postgres::PackedRow& row);

// From column `first` on: id, status, pending, available, held, debt, next_due_at_us,
// first_open_lot, active_until_us, spared_from_us, spared_until_us.
AccountState AccountFromRow(const postgres::Row& row, int first);

// From column 1 on: id, issuer, contract, issued, activates_at_us, expires_at_us, on_due, state,
// remaining, held, redeemed, reversed, expired, debt, moved, origin_account, origin_lot,
// restricted_to, restored_until_us, lives_by_activity, restricted_partners, forfeited.
Lot LotFromRow(const postgres::Row& row);

// From column 1 on: number, partner, store, contract, authorized, expires_at_us, state; and from
// column `first_array` on: lot_ids, lot_held, lot_captured, lot_refunded.
Hold HoldFromRow(const postgres::Row& row, int first_array);

}  // namespace guilder::ledger
