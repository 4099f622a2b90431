#include "libs/ledger/store/reader.h"

#include <map>
#include <utility>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/posting.h"
#include "libs/ledger/core/unwritten.h"
#include "libs/ledger/store/account_rows.h"
#include "libs/ledger/store/forwards.h"
#include "libs/postgres/connection.h"
#include "libs/postgres/pool.h"

namespace guilder::ledger {
namespace {

// The clock as lanes take it: it never runs backwards in a book.
#define GUILDER_BOOK_CLOCK_                          \
  "greatest(b.last_posted_at_us, b.clock_offset_us " \
  "+ (extract(epoch from clock_timestamp()) * 1000000)::bigint)"
#define GUILDER_ACCOUNT_COLUMNS_                                                       \
  "a.account_id, a.status, a.pending, a.available, a.held, a.debt, a.next_due_at_us, " \
  "a.first_open_lot, a.active_until_us, a.spared_from_us, a.spared_until_us"

// The books are few, and each clock is read once for all accounts of its book: rows without a
// place. `limit` keeps the planner from looking through a whole table for a few keys.
constexpr postgres::Statement kReadAccounts{"reader.accounts", R"sql(
  select 0, b.book, )sql" GUILDER_BOOK_CLOCK_ R"sql(, 0, 0, 0, 0, 0, 0, 0, 0, 0
    from ledger.books b
  union all
  select w.place, a.*
    from unnest($1::bigint[], $2::bigint[]) with ordinality as w (account_id, card_number, place)
    left join lateral (select c.account_id
                         from member.cards c
                        where c.card_number = w.card_number
                        limit 1) c on true
    join lateral (select )sql" GUILDER_ACCOUNT_COLUMNS_ R"sql(
                    from ledger.accounts a
                   where a.book = (coalesce(c.account_id, w.account_id) & 65535)::int
                     and a.account_id = coalesce(c.account_id, w.account_id)
                   limit 1) a on true
)sql"};

// Account, lots and open holds of one instant, because a lane may commit between two statements.
// The first column says which a row is.
constexpr postgres::Statement kReadDetails{
    "reader.details", "select 0, " GUILDER_ACCOUNT_COLUMNS_ ", " GUILDER_BOOK_CLOCK_ R"sql(,
         0, 0, 0, 0, 0, 0, 0, 0, '{}'::bigint[], 0, '{}'::bigint[], '{}'::bigint[], '{}'::bigint[],
         '{}'::bigint[]
    from ledger.accounts a
    join ledger.books b on b.book = a.book
   where a.book = $1 and a.account_id = $2
  union all
  select 1, l.lot_id, l.issuer_id, l.contract_id, l.issued, l.activates_at_us, l.expires_at_us, l.on_due,
         l.state, l.remaining, l.held, l.redeemed, l.reversed, l.expired, l.debt, l.moved,
         l.origin_account, l.origin_lot, l.restricted_to, l.restored_until_us, l.lives_by_activity,
         l.restricted_partners::bigint[], l.forfeited, '{}', '{}', '{}', '{}'
    from ledger.lots l
   where l.book = $1 and l.account_id = $2
     and l.lot_id >= least((select a.first_open_lot from ledger.accounts a
                             where a.book = $1 and a.account_id = $2),
                           nullif($3::bigint, 0))
  union all
  select 2, h.number, h.partner_id, h.store_id, h.contract_id, h.authorized, h.expires_at_us, h.state,
         h.reviewed, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}', 0, h.lot_ids, h.lot_held,
         h.lot_captured, h.lot_refunded
    from ledger.holds h
   where h.book = $1 and h.account_id = $2 and (h.state in (0, 4) or h.number = $4::bigint)
  order by 1, 2
)sql"};

#undef GUILDER_ACCOUNT_COLUMNS_
#undef GUILDER_BOOK_CLOCK_

constexpr postgres::Statement kReadCard{"reader.card", R"sql(
  select account_id, state <> 0 from member.cards where card_number = $1
)sql"};

enum class Detail { kAccount, kLot, kHold };

std::optional<AccountAsOfNow> ReadStored(postgres::Transaction& transaction, AccountId id,
                                         LotId lot = LotId(),
                                         RecordNumber number = RecordNumber()) {
  const postgres::Rows rows = transaction.Execute(
      kReadDetails, postgres::Params().Int(BookOf(id)).Int(id).Int(lot).Int(number));
  if (rows.empty()) return std::nullopt;
  AccountAsOfNow account{AccountFromRow(rows[0], 1), rows[0].Id<Timestamp>(12)};
  for (const postgres::Row row : rows) {
    const auto detail = row.Enum<Detail>(0);
    if (detail == Detail::kLot) account.state.lots.push_back(LotFromRow(row));
    if (detail == Detail::kHold) account.state.holds.push_back(HoldFromRow(row, 23));
  }
  account.state.lots_loaded = true;
  return account;
}

std::optional<AccountAsOfNow> ReadDetails(postgres::Transaction& transaction, AccountId id,
                                          LotId lot = LotId(),
                                          RecordNumber number = RecordNumber()) {
  std::optional<AccountAsOfNow> account = ReadStored(transaction, id, lot, number);
  if (!account) return std::nullopt;
  // Nothing that this posting does is written, so its number only has to be free.
  Posting posting(account->state, kUnwrittenRecord, account->now);
  posting.BringUpToNow();
  account->state = std::move(posting).TakeAccount();
  return account;
}

}  // namespace

absl::StatusOr<std::vector<absl::StatusOr<AccountAsOfNow>>> ReadAccounts(
    postgres::Pool& pool, const std::vector<AccountKey>& keys) {
  GUILDER_ASSIGN_OR_RETURN(const postgres::Rows rows,
                           pool.ReadAlone(kReadAccounts, postgres::Params()
                                                             .IntArray(keys, &AccountKey::account)
                                                             .IntArray(keys, &AccountKey::card)));
  std::vector<absl::StatusOr<AccountAsOfNow>> accounts;
  accounts.reserve(keys.size());
  const absl::Status no_card = Refuse(Reason::kCardNotFound);
  const absl::Status no_member = Refuse(Reason::kMemberNotFound);
  for (const AccountKey& key : keys) accounts.emplace_back(key.card ? no_card : no_member);
  std::map<BookId, Timestamp> clocks;
  for (const postgres::Row row : rows) {
    if (row.Int(0) == 0) clocks.emplace(row.Id<BookId>(1), row.Id<Timestamp>(2));
  }
  for (const postgres::Row row : rows) {
    if (row.Int(0) == 0) continue;
    auto& account = accounts.at(static_cast<size_t>(row.Int(0) - 1));
    AccountState state = AccountFromRow(row, 1);
    const Timestamp now = clocks.at(BookOf(state.id));
    account = AccountAsOfNow{std::move(state), now};
    const bool merged = account->state.status == AccountStatus::kMerged;
    if (!merged && account->now < account->state.next_due_at) continue;
    account = pool.Read([&](postgres::Transaction& transaction) -> absl::StatusOr<AccountAsOfNow> {
      auto details = ReadDetails(transaction, SurvivorOf(transaction, account->state.id));
      if (!details) return Refuse(Reason::kMemberNotFound);
      return *std::move(details);
    });
  }
  return accounts;
}

CardView ReadCard(postgres::Transaction& transaction, CardNumber card) {
  const postgres::Rows rows = transaction.Execute(kReadCard, postgres::Params().Int(card));
  if (rows.empty()) return {};
  return {true, rows[0].Bool(1), rows[0].Id<AccountId>(0)};
}

std::optional<AccountAsOfNow> ReadAccountWithLots(postgres::Transaction& transaction,
                                                  AccountId account, LotId lot, RecordNumber hold) {
  return ReadDetails(transaction, account, lot, hold);
}

std::optional<AccountAsOfNow> ReadAccountAsStored(postgres::Transaction& transaction,
                                                  AccountId account) {
  return ReadStored(transaction, account);
}

}  // namespace guilder::ledger
