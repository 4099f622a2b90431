#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"

#include "libs/ledger/store/verify_tables.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kReadAccounts{"verify.read_accounts", R"sql(
  select account_id, pending, available, held, debt, first_open_lot
    from ledger.accounts
   where book = $1
     and account_id > $2
   order by account_id
   limit $3
)sql"};

constexpr Statement kReadLots{"verify.read_lots", R"sql(
  select account_id, lot_id, state, issued, remaining, held, redeemed, reversed, expired, debt
    from ledger.lots
   where book = $1
     and account_id > $2
     and account_id <= $3
)sql"};

constexpr Statement kReadHolds{"verify.read_holds", R"sql(
  select account_id, number, state, authorized, captured, refunded, lot_ids, lot_held, lot_captured,
         lot_refunded
    from ledger.holds
   where book = $1
     and account_id > $2
     and account_id <= $3
)sql"};

struct StoredAccount {
  Points pending;
  Points available;
  Points held;
  Points debt;
  LotId first_open_lot;

  // Sums of its lots and holds.
  Points lots_remaining;
  Points lots_debt;
  Points lots_expired;
  Points holds_captured;
  Points holds_refunded;
};

// What holds say of one lot.
struct HeldOfLot {
  Points held;
  Points captured;
};

// Accounts, lots and holds of an interval of account ids.
class Comparison {
 public:
  Comparison(JournalReplay& replay, Findings& findings)
      : replay_(replay), model_(replay.model()), findings_(findings) {}

  void Run(const Rows& accounts, const Rows& lots, const Rows& holds) {
    for (const Row& row : accounts) AddAccount(row);
    for (const Row& row : holds) CompareHold(row);
    for (const Row& row : lots) CompareLot(row);
    for (const auto& [id, account] : accounts_) CompareAccount(id, account);
  }

 private:
  void AddAccount(const Row& row) {
    StoredAccount& account = accounts_[row.Id<AccountId>(0)];
    account.pending = row.Id<Points>(1);
    account.available = row.Id<Points>(2);
    account.held = row.Id<Points>(3);
    account.debt = row.Id<Points>(4);
    account.first_open_lot = row.Id<LotId>(5);
  }

  void CompareHold(const Row& row) {
    findings_.Examined(CheckId::kHolds);
    const auto number = row.Id<RecordNumber>(1);
    const auto model = model_.holds.find(number);
    const auto account = accounts_.find(row.Id<AccountId>(0));
    if (model == model_.holds.end() || account == accounts_.end()) {
      findings_.Fail(CheckId::kHolds, Hold(number) + " has no entries");
      return;
    }
    const HoldSums& sums = model->second;
    model->second.seen = true;

    const std::vector<int64_t> lots = row.IntArray(6);
    const std::vector<int64_t> held = row.IntArray(7);
    const std::vector<int64_t> captured = row.IntArray(8);
    const std::vector<int64_t> refunded = row.IntArray(9);
    const size_t parts = lots.size();
    if (held.size() != parts || captured.size() != parts || refunded.size() != parts) {
      findings_.Fail(CheckId::kHolds, Hold(number) + " has parts of different number");
      return;
    }
    Points all_held;
    Points all_captured;
    Points all_refunded;
    for (size_t i = 0; i < parts; ++i) {
      all_held += Points(held[i]);
      all_captured += Points(captured[i]);
      all_refunded += Points(refunded[i]);
      HeldOfLot& of_lot = held_of_lots_[LotId(lots[i])];
      of_lot.held += Points(held[i]);
      of_lot.captured += Points(captured[i]);
    }
    account->second.holds_captured += all_captured;
    account->second.holds_refunded += all_refunded;
    const bool open = row.Enum<HoldState>(2) == HoldState::kOpen;
    if (sums.account != account->first || sums.authorized != row.Id<Points>(3) ||
        all_captured != row.Id<Points>(4) || all_refunded != row.Id<Points>(5) ||
        open != (all_held > Points(0))) {
      findings_.Fail(CheckId::kHolds, Hold(number));
    }
  }

  void CompareLot(const Row& row) {
    findings_.Examined(CheckId::kLots);
    const auto id = row.Id<LotId>(1);
    const auto found = model_.lots.find(id);
    const auto account = accounts_.find(row.Id<AccountId>(0));
    if (found == model_.lots.end() || account == accounts_.end()) {
      findings_.Fail(CheckId::kLots, Lot(id) + " has no entries");
      return;
    }
    LotSums& sums = found->second;
    sums.seen = true;
    const auto remaining = row.Id<Points>(4);
    const auto held = row.Id<Points>(5);
    const auto reversed = row.Id<Points>(7);
    const auto expired = row.Id<Points>(8);
    const auto debt = row.Id<Points>(9);
    const bool pending = row.Enum<LotState>(2) == LotState::kPending;
    const Points elsewhere = pending ? sums.available + sums.held : sums.pending;
    if (sums.account != account->first || sums.issued != row.Id<Points>(3) ||
        sums.remaining() != remaining || sums.held != held || sums.redeemed != row.Id<Points>(6) ||
        sums.reversed + sums.expired != reversed + expired || reversed < sums.reversed ||
        sums.debt != debt || elsewhere != Points(0)) {
      findings_.Fail(CheckId::kLots, Lot(id));
    }
    if (id < account->second.first_open_lot && (remaining != Points(0) || debt != Points(0))) {
      findings_.Fail(CheckId::kLots, Lot(id) + " is open, but before the first open one");
    }
    account->second.lots_remaining += remaining;
    account->second.lots_debt += debt;
    account->second.lots_expired += expired;

    const auto of_holds = held_of_lots_.find(id);
    const HeldOfLot by_holds = of_holds == held_of_lots_.end() ? HeldOfLot() : of_holds->second;
    if (by_holds.held != sums.held || by_holds.captured != sums.captured) {
      findings_.Fail(CheckId::kHolds, absl::StrCat("the holds of ", Lot(id)));
    }
  }

  void CompareAccount(AccountId id, const StoredAccount& account) {
    AccountSums& sums = model_.accounts[id];
    sums.seen_at = replay_.number();
    findings_.Examined(CheckId::kBalances);
    if (sums.pending != account.pending || sums.available != account.available ||
        sums.held != account.held || sums.debt != account.debt) {
      findings_.Fail(CheckId::kBalances, Account(id));
    }
    findings_.Examined(CheckId::kLotBalances);
    if (account.pending + account.available + account.held != account.lots_remaining ||
        account.debt != account.lots_debt) {
      findings_.Fail(CheckId::kLotBalances, Account(id));
    }
    if (sums.expired != account.lots_expired) {
      findings_.Fail(CheckId::kLots, absl::StrCat("expired points of ", Account(id)));
    }
    if (sums.captured != account.holds_captured || sums.refunded != account.holds_refunded) {
      findings_.Fail(CheckId::kHolds, absl::StrCat("the holds of ", Account(id)));
    }
  }

  static std::string Account(AccountId id) { return absl::StrCat("account ", id.value()); }
  std::string Lot(LotId id) const {
    return absl::StrCat("lot ", replay_.book().value(), "-", id.value());
  }
  std::string Hold(RecordNumber number) const {
    return absl::StrCat("hold ", replay_.book().value(), "-", number.value());
  }

  JournalReplay& replay_;
  BookModel& model_;
  Findings& findings_;
  std::map<AccountId, StoredAccount> accounts_;
  absl::flat_hash_map<LotId, HeldOfLot> held_of_lots_;
};

}  // namespace

std::optional<AccountId> CompareAccounts(Transaction& transaction, JournalReplay& replay,
                                         AccountId after, int limit, Findings& findings) {
  const Rows accounts =
      transaction.Execute(kReadAccounts, Params().Int(replay.book()).Int(after).Int(limit));
  const bool last = accounts.size() < limit;
  const AccountId until =
      last ? AccountId(INT64_MAX) : accounts[accounts.size() - 1].Id<AccountId>(0);
  const auto interval = [&] { return Params().Int(replay.book()).Int(after).Int(until); };
  const Rows lots = transaction.Execute(kReadLots, interval());
  const Rows holds = transaction.Execute(kReadHolds, interval());
  Comparison(replay, findings).Run(accounts, lots, holds);
  return last ? std::nullopt : std::optional(until);
}

void FindMissing(JournalReplay& replay, Findings& findings) {
  const BookModel& model = replay.model();
  for (const auto& [id, account] : model.accounts) {
    if (!account.seen_at) {
      findings.Fail(CheckId::kBalances, absl::StrCat("account ", id.value(), " is missing"));
    }
  }
  // What was created after its account had been compared could not be seen with it.
  const auto missing = [&](AccountId account, RecordNumber created_by, bool seen) {
    const auto found = model.accounts.find(account);
    return !seen && (found == model.accounts.end() || created_by <= found->second.seen_at);
  };
  const int book = replay.book().value();
  for (const auto& [id, lot] : model.lots) {
    if (missing(lot.account, RecordOf(id), lot.seen)) {
      findings.Fail(CheckId::kLots, absl::StrCat("lot ", book, "-", id.value(), " is missing"));
    }
  }
  for (const auto& [number, hold] : model.holds) {
    if (missing(hold.account, number, hold.seen)) {
      findings.Fail(CheckId::kHolds,
                    absl::StrCat("hold ", book, "-", number.value(), " is missing"));
    }
  }
}

}  // namespace guilder::ledger
