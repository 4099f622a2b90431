#include "libs/ledger/store/verify_rows.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "libs/ledger/store/account_rows.h"

namespace guilder::ledger {
namespace {

using postgres::PackedRow;
using postgres::PackedRows;
using postgres::Params;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kReadAccounts{"verify.read_accounts", R"sql(
  select row(a.account_id, pending, available, held, debt, opened_number, status, next_due_at_us,
             first_open_lot, f.into_account, active_until_us,
             spared_from_us, spared_until_us)
    from ledger.accounts a
    left join ledger.forwards f on f.book = a.book and f.account_id = a.account_id
   where a.book = $1
     and a.account_id > $2
     and a.account_id <= $3
   order by a.account_id
   limit $4
)sql"};

constexpr Statement kReadLots{"verify.read_lots", R"sql(
  select row(account_id, lot_id, issuer_id, contract_id, activates_at_us, expires_at_us, on_due, state,
             issued, remaining, held, redeemed, reversed, expired, debt, moved, origin_account,
             origin_lot, restricted_to, restricted_partners::bigint[], restored_until_us,
             lives_by_activity, forfeited)
    from ledger.lots
   where book = $1
     and account_id > $2
     and account_id <= $3
   order by account_id, lot_id
)sql"};

constexpr Statement kReadHolds{"verify.read_holds", R"sql(
  select row(account_id, number, partner_id, store_id, contract_id, authorized, expires_at_us, state,
             reviewed, captured, refunded, lot_ids, lot_held, lot_captured, lot_refunded)
    from ledger.holds
   where book = $1
     and account_id > $2
     and account_id <= $3
   order by account_id, number
)sql"};

StoredAccount ToAccount(PackedRow row) {
  StoredAccount account;
  account.id = row.Id<AccountId>();
  account.sums.pending = row.Id<Points>();
  account.sums.available = row.Id<Points>();
  account.sums.held = row.Id<Points>();
  account.sums.debt = row.Id<Points>();
  account.sums.opened_by = row.Id<RecordNumber>();
  account.status = row.Enum<AccountStatus>();
  account.sums.closed = account.status == AccountStatus::kClosed;
  account.next_due_at = row.Id<Timestamp>();
  account.first_open_lot = row.Id<LotId>();
  account.sums.merged_into = AccountId(row.OptionalInt().value_or(0));
  account.sums.active_until = row.Id<Timestamp>();
  account.sums.spared_from = row.Id<Timestamp>();
  account.sums.spared_until = row.Id<Timestamp>();
  return account;
}

StoredLot ToLot(PackedRow row) {
  StoredLot lot;
  LotSums& sums = lot.sums;
  sums.account = row.Id<AccountId>();
  lot.id = row.Id<LotId>();
  sums.issuer = row.Id<PartnerId>();
  sums.contract = row.Id<ContractId>();
  sums.activates_at = row.Id<Timestamp>();
  sums.expires_at = row.Id<Timestamp>();
  sums.on_due = row.Enum<OnDue>();
  lot.state = row.Enum<LotState>();
  sums.issued = row.Id<Points>();
  const auto remaining = row.Id<Points>();
  sums.held = row.Id<Points>();
  (lot.state == LotState::kPending ? sums.pending : sums.available) = remaining - sums.held;
  sums.redeemed = row.Id<Points>();
  sums.reversed = row.Id<Points>();
  sums.expired = row.Id<Points>();
  sums.debt = row.Id<Points>();
  sums.moved = row.Id<Points>();
  sums.origin.account = AccountId(row.OptionalInt().value_or(0));
  sums.origin.lot = LotId(row.OptionalInt().value_or(0));
  sums.restricted_to = RestrictionOf(row);
  sums.restored_until = row.Id<Timestamp>();
  sums.lives_by_activity = row.Int() != 0;
  sums.forfeited = row.Id<Points>();
  return lot;
}

StoredHold ToHold(PackedRow row) {
  StoredHold stored;
  Hold& hold = stored.hold;
  stored.account = row.Id<AccountId>();
  hold.number = row.Id<RecordNumber>();
  hold.partner = row.Id<PartnerId>();
  hold.store = row.Id<StoreId>();
  hold.contract = row.Id<ContractId>();
  hold.authorized = row.Id<Points>();
  hold.expires_at = row.Id<Timestamp>();
  hold.state = row.Enum<HoldState>();
  hold.reviewed = row.Int() != 0;
  stored.captured = row.Id<Points>();
  stored.refunded = row.Id<Points>();
  const std::vector<int64_t> lots = row.IntArray();
  const std::vector<int64_t> held = row.IntArray();
  const std::vector<int64_t> captured = row.IntArray();
  const std::vector<int64_t> refunded = row.IntArray();
  const size_t parts = lots.size();
  stored.whole = held.size() == parts && captured.size() == parts && refunded.size() == parts;
  for (size_t i = 0; stored.whole && i < parts; ++i) {
    hold.parts.push_back(
        {LotId(lots[i]), Points(held[i]), Points(captured[i]), Points(refunded[i])});
  }
  return stored;
}

// Finds the accounts that rows belong to; both are in the order of account ids.
StoredAccount* Find(std::vector<StoredAccount>::iterator& at,
                    std::vector<StoredAccount>::iterator end, AccountId account) {
  while (at != end && at->id < account) ++at;
  return at == end || at->id != account ? nullptr : &*at;
}

// The earliest date of what is there: nothing changes by time alone before it.
Timestamp NextDueOf(const StoredAccount& account) {
  Timestamp next = kNever;
  for (const StoredLot& lot : account.lots) {
    if (lot.free() <= Points(0)) continue;
    if (lot.state == LotState::kPending) next = std::min(next, lot.sums.activates_at);
    next = std::min(next, lot.sums.EndIn(account.sums));
  }
  for (const StoredHold& hold : account.holds) {
    if (hold.hold.open()) next = std::min(next, hold.hold.expires_at);
  }
  return next;
}

void CheckHold(BookId book, const StoredHold& stored, Findings& findings) {
  const Hold& hold = stored.hold;
  const Points held = hold.held();
  const bool sums_agree = hold.captured() == stored.captured && hold.refunded() == stored.refunded;
  const bool state_agrees =
      hold.open() == (held > Points(0)) &&
      (hold.state == HoldState::kCaptured) == (held == Points(0) && stored.captured > Points(0)) &&
      hold.state <= HoldState::kInReview;
  if (!stored.whole) {
    findings.Fail(CheckId::kHolds,
                  NameOfHold(book, hold.number) + " has parts of different number");
  } else if (!sums_agree || !state_agrees) {
    findings.Fail(CheckId::kHolds, NameOfHold(book, hold.number));
  }
}

void CheckLotsOfHolds(BookId book, const StoredAccount& account, Findings& findings) {
  absl::flat_hash_map<LotId, Points> held;
  for (const StoredHold& hold : account.holds) {
    for (const HoldPart& part : hold.hold.parts) held[part.lot] += part.held;
  }
  for (const StoredLot& lot : account.lots) {
    const auto of_holds = held.find(lot.id);
    const Points expected = of_holds == held.end() ? Points(0) : of_holds->second;
    if (lot.sums.held != expected) {
      findings.Fail(CheckId::kHolds, "the holds of " + NameOfLot(book, lot.id));
    }
  }
}

}  // namespace

Points StoredAccount::CapturedOf(LotId lot) const {
  Points captured;
  for (const StoredHold& hold : holds) {
    for (const HoldPart& part : hold.hold.parts) {
      if (part.lot == lot) captured += part.captured;
    }
  }
  return captured;
}

std::vector<StoredAccount> ReadAccounts(Transaction& transaction, BookId book, AccountId after,
                                        AccountId until, int limit, Findings& findings) {
  std::vector<StoredAccount> accounts;
  const PackedRows rows =
      transaction.ExecutePacked(kReadAccounts, Params().Int(book).Int(after).Int(until).Int(limit));
  accounts.reserve(static_cast<size_t>(rows.size()));
  for (const PackedRow row : rows) accounts.push_back(ToAccount(row));
  if (rows.size() == limit) until = accounts.back().id;

  const auto interval = [&] { return Params().Int(book).Int(after).Int(until); };
  auto at = accounts.begin();
  for (const PackedRow row : transaction.ExecutePacked(kReadLots, interval())) {
    StoredLot lot = ToLot(row);
    if (StoredAccount* const account = Find(at, accounts.end(), lot.sums.account)) {
      account->lots.push_back(std::move(lot));
    } else {
      findings.Fail(CheckId::kLots, NameOfLot(book, lot.id) + " has no account");
    }
  }
  at = accounts.begin();
  for (const PackedRow row : transaction.ExecutePacked(kReadHolds, interval())) {
    StoredHold hold = ToHold(row);
    StoredAccount* const account = Find(at, accounts.end(), hold.account);
    if (account == nullptr) {
      findings.Fail(CheckId::kHolds, NameOfHold(book, hold.hold.number) + " has no account");
      continue;
    }
    account->sums.captured += hold.captured;
    account->sums.refunded += hold.refunded;
    account->holds.push_back(std::move(hold));
  }
  return accounts;
}

void CheckAgreement(BookId book, const StoredAccount& account, Findings& findings) {
  AccountSums of_lots;
  for (const StoredLot& lot : account.lots) {
    of_lots.pending += lot.sums.pending;
    of_lots.available += lot.sums.available;
    of_lots.held += lot.sums.held;
    of_lots.debt += lot.sums.debt;
    if (lot.id < account.first_open_lot && !lot.closed()) {
      findings.Fail(CheckId::kLots,
                    NameOfLot(book, lot.id) + " is open, but before the first open one");
    }
    if (lot.state > LotState::kActive) {
      findings.Fail(CheckId::kLots, NameOfLot(book, lot.id) + " is in no known state");
    }
  }
  findings.Examined(CheckId::kLots, static_cast<int64_t>(account.lots.size()));
  findings.Examined(CheckId::kHolds, static_cast<int64_t>(account.holds.size()));
  findings.Examined(CheckId::kLotBalances);
  const AccountSums& sums = account.sums;
  if (sums.pending != of_lots.pending || sums.available != of_lots.available ||
      sums.held != of_lots.held || sums.debt != of_lots.debt) {
    findings.Fail(CheckId::kLotBalances, NameOf(account.id));
  }
  for (const StoredHold& hold : account.holds) CheckHold(book, hold, findings);
  CheckLotsOfHolds(book, account, findings);
  findings.Examined(CheckId::kDates);
  if (account.next_due_at > NextDueOf(account)) {
    findings.Fail(CheckId::kDates, NameOf(account.id) + " looks for what is due too late");
  }
  const bool merged = account.status == AccountStatus::kMerged;
  if (merged != static_cast<bool>(account.sums.merged_into) ||
      account.status > AccountStatus::kMerged) {
    findings.Fail(CheckId::kDates, NameOf(account.id) + " was not merged by a record");
  }
}

std::string NameOf(AccountId account) {
  return absl::StrCat("account ", account.value());
}

std::string NameOfLot(BookId book, LotId lot) {
  return absl::StrCat("lot ", book.value(), "-", lot.value());
}

std::string NameOfHold(BookId book, RecordNumber hold) {
  return absl::StrCat("hold ", book.value(), "-", hold.value());
}

}  // namespace guilder::ledger
