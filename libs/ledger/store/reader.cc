#include "libs/ledger/store/reader.h"

#include "libs/ledger/core/posting.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {
namespace {

// The clock as lanes take it: it never runs backwards in a book.
#define GUILDER_ACCOUNT_COLUMNS_                                                       \
  "a.account_id, a.status, a.pending, a.available, a.held, a.debt, a.next_due_at_us, " \
  "a.first_open_lot, greatest(b.last_posted_at_us, b.clock_offset_us "                 \
  "+ (extract(epoch from clock_timestamp()) * 1000000)::bigint)"

constexpr postgres::Statement kReadAccount{"reader.account",
                                           "select " GUILDER_ACCOUNT_COLUMNS_ R"sql(
    from ledger.accounts a
    join ledger.books b on b.book = a.book
   where a.book = $1 and a.account_id = $2
)sql"};

constexpr postgres::Statement kReadAccountOfCard{"reader.account_of_card",
                                                 "select " GUILDER_ACCOUNT_COLUMNS_ R"sql(
    from member.cards c
    join ledger.accounts a on a.book = c.book and a.account_id = c.account_id
    join ledger.books b on b.book = a.book
   where c.card_number = $1
)sql"};

// Account, lots and open holds of one instant, because a lane may commit between two statements.
// The first column says which a row is.
constexpr postgres::Statement kReadDetails{"reader.details",
                                           "select 0, " GUILDER_ACCOUNT_COLUMNS_ R"sql(,
         0, 0, 0, 0, 0, '{}'::bigint[], '{}'::bigint[], '{}'::bigint[], '{}'::bigint[]
    from ledger.accounts a
    join ledger.books b on b.book = a.book
   where a.book = $1 and a.account_id = $2
  union all
  select 1, l.lot_id, l.issuer_id, l.contract_id, l.issued, l.activates_at_us, l.expires_at_us, l.on_due,
         l.state, l.remaining, l.held, l.redeemed, l.reversed, l.expired, l.debt, '{}', '{}', '{}', '{}'
    from ledger.lots l
   where l.book = $1 and l.account_id = $2
     and l.lot_id >= (select a.first_open_lot from ledger.accounts a
                       where a.book = $1 and a.account_id = $2)
  union all
  select 2, h.number, h.partner_id, h.store_id, h.contract_id, h.authorized, h.expires_at_us, h.state,
         0, 0, 0, 0, 0, 0, 0, h.lot_ids, h.lot_held, h.lot_captured, h.lot_refunded
    from ledger.holds h
   where h.book = $1 and h.account_id = $2 and h.state = 0
  order by 1, 2
)sql"};

#undef GUILDER_ACCOUNT_COLUMNS_

// From column `first` on.
AccountAsOfNow AccountFromRow(const postgres::Row& row, int first) {
  AccountAsOfNow account;
  account.state.id = row.Id<AccountId>(first);
  account.state.status = row.Enum<AccountStatus>(first + 1);
  account.state.pending = row.Id<Points>(first + 2);
  account.state.available = row.Id<Points>(first + 3);
  account.state.held = row.Id<Points>(first + 4);
  account.state.debt = row.Id<Points>(first + 5);
  account.state.next_due_at = row.Id<Timestamp>(first + 6);
  account.state.first_open_lot = row.Id<LotId>(first + 7);
  account.now = row.Id<Timestamp>(first + 8);
  return account;
}

Lot LotFromRow(const postgres::Row& row) {
  Lot lot;
  lot.id = row.Id<LotId>(1);
  lot.issuer = row.Id<PartnerId>(2);
  lot.contract = row.Id<ContractId>(3);
  lot.issued = row.Id<Points>(4);
  lot.activates_at = row.Id<Timestamp>(5);
  lot.expires_at = row.Id<Timestamp>(6);
  lot.on_due = row.Enum<OnDue>(7);
  lot.state = row.Enum<LotState>(8);
  lot.remaining = row.Id<Points>(9);
  lot.held = row.Id<Points>(10);
  lot.redeemed = row.Id<Points>(11);
  lot.reversed = row.Id<Points>(12);
  lot.expired = row.Id<Points>(13);
  lot.debt = row.Id<Points>(14);
  return lot;
}

Hold HoldFromRow(const postgres::Row& row) {
  Hold hold;
  hold.number = row.Id<RecordNumber>(1);
  hold.partner = row.Id<PartnerId>(2);
  hold.store = row.Id<StoreId>(3);
  hold.contract = row.Id<ContractId>(4);
  hold.authorized = row.Id<Points>(5);
  hold.expires_at = row.Id<Timestamp>(6);
  hold.state = row.Enum<HoldState>(7);
  const std::vector<int64_t> lots = row.IntArray(15);
  const std::vector<int64_t> held = row.IntArray(16);
  const std::vector<int64_t> captured = row.IntArray(17);
  const std::vector<int64_t> refunded = row.IntArray(18);
  for (size_t i = 0; i < lots.size(); ++i) {
    hold.parts.push_back(
        {LotId(lots[i]), Points(held.at(i)), Points(captured.at(i)), Points(refunded.at(i))});
  }
  return hold;
}

enum class Detail { kAccount, kLot, kHold };

std::optional<AccountAsOfNow> ReadDetails(postgres::Transaction& transaction, AccountId id) {
  const postgres::Rows rows =
      transaction.Execute(kReadDetails, postgres::Params().Int(BookOf(id)).Int(id));
  if (rows.empty()) return std::nullopt;
  AccountAsOfNow account = AccountFromRow(rows[0], 1);
  for (const postgres::Row row : rows) {
    const auto detail = row.Enum<Detail>(0);
    if (detail == Detail::kLot) account.state.lots.push_back(LotFromRow(row));
    if (detail == Detail::kHold) account.state.holds.push_back(HoldFromRow(row));
  }
  account.state.lots_loaded = true;
  // Nothing that this posting does is written, so its number only has to be free.
  Posting posting(account.state, RecordNumber(INT64_MAX / kLotsPerRecord), account.now);
  posting.BringUpToNow();
  account.state = std::move(posting).TakeAccount();
  return account;
}

std::optional<AccountAsOfNow> FromFirstLook(postgres::Transaction& transaction,
                                            const postgres::Rows& rows) {
  if (rows.empty()) return std::nullopt;
  AccountAsOfNow account = AccountFromRow(rows[0], 0);
  if (account.now < account.state.next_due_at) return account;
  return ReadDetails(transaction, account.state.id);
}

}  // namespace

std::optional<AccountAsOfNow> ReadAccount(postgres::Transaction& transaction, AccountId account) {
  return FromFirstLook(
      transaction,
      transaction.Execute(kReadAccount, postgres::Params().Int(BookOf(account)).Int(account)));
}

std::optional<AccountAsOfNow> ReadAccountOfCard(postgres::Transaction& transaction,
                                                CardNumber card) {
  return FromFirstLook(transaction,
                       transaction.Execute(kReadAccountOfCard, postgres::Params().Int(card)));
}

std::optional<AccountAsOfNow> ReadAccountWithLots(postgres::Transaction& transaction,
                                                  AccountId account) {
  return ReadDetails(transaction, account);
}

}  // namespace guilder::ledger
