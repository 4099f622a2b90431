#include "libs/ledger/store/reader.h"

#include "libs/ledger/core/posting.h"
#include "libs/ledger/store/account_rows.h"
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
AccountAsOfNow AsOfNowFromRow(const postgres::Row& row, int first) {
  return {AccountFromRow(row, first), row.Id<Timestamp>(first + 8)};
}

enum class Detail { kAccount, kLot, kHold };

std::optional<AccountAsOfNow> ReadDetails(postgres::Transaction& transaction, AccountId id) {
  const postgres::Rows rows =
      transaction.Execute(kReadDetails, postgres::Params().Int(BookOf(id)).Int(id));
  if (rows.empty()) return std::nullopt;
  AccountAsOfNow account = AsOfNowFromRow(rows[0], 1);
  for (const postgres::Row row : rows) {
    const auto detail = row.Enum<Detail>(0);
    if (detail == Detail::kLot) account.state.lots.push_back(LotFromRow(row));
    if (detail == Detail::kHold) account.state.holds.push_back(HoldFromRow(row, 15));
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
  AccountAsOfNow account = AsOfNowFromRow(rows[0], 0);
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
