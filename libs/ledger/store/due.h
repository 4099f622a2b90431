// What falls due by time alone: brought up to date by sweeping, and looked at ahead.
//
// A command brings its account up to its time by itself, so sweeping changes no answer that anybody
// gets: it posts what nobody's command has posted yet. It may run late, twice at once, or stop
// midway.
#pragma once

#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "libs/ledger/store/lanes.h"

namespace guilder::postgres {
class Pool;
class Transaction;
}  // namespace guilder::postgres

namespace guilder::ledger {

// Where a scan of all accounts has come to; a default one begins.
struct AccountCursor {
  BookId book;
  AccountId after;
  friend bool operator==(const AccountCursor&, const AccountCursor&) = default;
};

struct SweepOptions {
  // Accounts that are looked at, whether or not something is due.
  int most_accounts = 100'000;
  // Commands that wait for lanes at a time: a sweep takes its turn among partners, and no more. As
  // many while they are answered quickly; down to one while the lanes are busy.
  int most_in_flight = 32;
  absl::Time deadline = absl::InfiniteFuture();
};

struct SweepResult {
  int64_t accounts_looked_at = 0;
  int64_t accounts_brought_up = 0;
  // Where to go on; nothing when all accounts were looked at.
  std::optional<AccountCursor> next;
};

// Brings accounts up to date on which something is due, from a place on. Held points stay held.
// Errors: kStoreUnavailable and what lanes refuse; what was swept until then stays.
absl::StatusOr<SweepResult> SweepDue(postgres::Pool& pool, Lanes& lanes, AccountCursor from,
                                     const SweepOptions& options);

// Points of an account that will expire at an instant if nothing happens.
struct ExpectedExpiry {
  AccountId account;
  PartnerId issuer;
  Timestamp at;
  Points points;
  friend bool operator==(const ExpectedExpiry&, const ExpectedExpiry&) = default;
};

struct ExpectedExpiries {
  std::vector<ExpectedExpiry> expiries;
  std::optional<AccountCursor> next;
};

// What one account loses in [now, until) if nothing happens, likewise. Nothing for an account that
// there is not. Runs in the caller's transaction.
std::vector<ExpectedExpiry> ExpectExpiriesOf(postgres::Transaction& transaction, AccountId account,
                                             Timestamp until);

// What accounts from a place on lose in [now, until) if nothing happens: by the function that lets
// it happen, so holds that end and debts that are repaid before are counted in. What is due
// already, and not swept, is counted, too.
absl::StatusOr<ExpectedExpiries> ExpectExpiries(postgres::Pool& pool, ProgrammeId programme,
                                                AccountCursor from, Timestamp until,
                                                int most_accounts);

}  // namespace guilder::ledger
