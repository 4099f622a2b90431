#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/store/account_rows.h"
#include "libs/ledger/store/batch_sql.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

// One row lock serialises every writer of a book, in this process or another.
constexpr Statement kLockBooks{"ledger.lock_books", R"sql(
  select 1
    from ledger.books
   where book = any($1::int[])
   order by book
     for no key update
)sql"};

// A statement of its own: reading what a lock protects in the statement that takes the lock would
// see the state from before the wait. A row for each book, one for each command whose account or
// card exists, and one for each allowance; the first column says which.
constexpr Statement kLoad{"ledger.load", R"sql(
  select 0, b.book, b.last_number, b.last_posted_at_us, b.last_serial, b.clock_offset_us,
         b.format_version, c.version, (extract(epoch from clock_timestamp()) * 1000000)::bigint,
         null, null, null, null, null, null, b.secret, b.frontier
    from ledger.configuration c
    join ledger.books b on b.book = any($2::int[])
   where c.programme_id = $1
  union all
  select 1, w.command, a.account_id, a.status, a.pending, a.available, a.held, a.debt,
         a.next_due_at_us, a.first_open_lot, a.active_until_us, a.spared_from_us, a.spared_until_us,
         k.account_id, k.state, null, null
    from (select $3[i] as command, $3[i + 1]::int as book, $3[i + 2] as account_id,
                 $3[i + 3] as card_number
            from generate_series(1, cardinality($3::bigint[]), 4) as i) as w
    left join ledger.accounts a on a.book = w.book and a.account_id = w.account_id
    left join member.cards k on k.card_number = w.card_number
   where a.account_id is not null or k.account_id is not null
  union all
  select 2, a.book, a.limit_id, a.remaining, null, null, null, null, null, null, null, null, null, null,
         null, null, null
    from generate_series(1, cardinality($4::bigint[]), 2) as i
    join ledger.allowances a on a.book = $4[i + 1]::int and a.limit_id = $4[i]
)sql"};

constexpr Statement kLoadLots{"ledger.load_lots", R"sql(
  select l.account_id, l.lot_id, l.issuer_id, l.contract_id, l.issued, l.activates_at_us,
         l.expires_at_us, l.on_due, l.state, l.remaining, l.held, l.redeemed, l.reversed, l.expired,
         l.debt, l.moved, l.origin_account, l.origin_lot, l.restricted_to,
         l.restored_until_us, l.lives_by_activity, l.restricted_partners, l.forfeited
    from unnest($1::int[], $2::bigint[], $3::bigint[]) as w (book, account_id, first_lot)
    join ledger.lots l on l.book = w.book and l.account_id = w.account_id and l.lot_id >= w.first_lot
   order by l.account_id, l.lot_id
)sql"};

constexpr Statement kLoadHolds{"ledger.load_holds", R"sql(
  select h.account_id, h.number, h.partner_id, h.store_id, h.contract_id, h.authorized,
         h.expires_at_us, h.state, h.reviewed, h.lot_ids, h.lot_held, h.lot_captured, h.lot_refunded
    from unnest($1::int[], $2::bigint[]) as w (book, account_id)
    join ledger.holds h on h.book = w.book and h.account_id = w.account_id
   where h.state in (0, 4) or h.number = any($3::bigint[])
   order by h.account_id, h.number
)sql"};

constexpr Statement kFindClaims{"ledger.find_claims", R"sql(
  select c.claim_key, j.book, j.number, j.posted_at_us, j.kind, j.fingerprint, j.response, j.leaf
    from unnest($1::uuid[]) as w (claim_key)
    join ledger.claims c on c.claim_key = w.claim_key
    join ledger.journal j
      on j.book = c.book and j.number = c.number and j.posted_at_us = c.posted_at_us
)sql"};

}  // namespace

std::vector<postgres::Call> LockAndLoad(ProgrammeId programme,
                                        const std::vector<Command*>& commands,
                                        const std::set<Allowances::Key>& allowances) {
  struct Asked {
    int64_t command;
    BookId book;
    AccountId account;
    CardNumber card;
  };
  std::set<BookId> books;
  std::vector<Asked> asked;
  int64_t index = 0;
  for (const Command* command : commands) {
    books.insert(command->book);
    asked.push_back({index, command->book, command->account, command->card});
    for (const AccountId other : command->others) {
      books.insert(BookOf(other));
      asked.push_back({index, BookOf(other), other, CardNumber()});
    }
    ++index;
  }
  std::vector<postgres::Call> calls = {{&kLockBooks, Params().IntArray(books)}};
  if (!allowances.empty()) calls.push_back(Allowances::Lock(allowances));
  calls.push_back(
      {&kLoad, Params()
                   .Int(programme)
                   .IntArray(books)
                   .IntRows(asked, &Asked::command, &Asked::book, &Asked::account, &Asked::card)
                   .IntRows(allowances, &Allowances::Key::first, &Allowances::Key::second)});
  return calls;
}

namespace {

absl::Status AddBook(const Row& row, BatchState& batch, int64_t& config_version) {
  BookState book;
  book.id = row.Id<BookId>(1);
  if (row.Int(6) > kBookFormat) {
    return Refuse(
        Reason::kStoreUnavailable,
        absl::StrCat("book ", book.id.value(), " is in a newer format; upgrade this service"));
  }
  std::optional<Frontier> frontier = Frontier::Parse(row.Int(2), row.Bytes(16));
  if (!frontier) return absl::InternalError(absl::StrCat("frontier of book ", book.id.value()));
  book.frontier = *std::move(frontier);
  book.last_serial = row.Int(4);
  book.secret = row.Bytes(15);
  book.last_posted_at = row.Id<Timestamp>(3);
  batch.posted_at =
      std::max({batch.posted_at, book.last_posted_at, Timestamp(row.Int(8) + row.Int(5))});
  config_version = row.Int(7);
  batch.books.emplace(book.id, std::move(book));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Loaded> ReadLoaded(const postgres::Rows& rows, const std::vector<Command*>& commands,
                                  BatchState& batch, Allowances& allowances) {
  Loaded loaded;
  loaded.cards.resize(commands.size());
  for (const Row& row : rows) {
    if (row.Int(0) == 0) {
      GUILDER_RETURN_IF_ERROR(AddBook(row, batch, loaded.config_version));
      continue;
    }
    if (row.Int(0) == 2) {
      allowances.Add({row.Id<LimitId>(2), row.Id<BookId>(1)}, row.Id<Points>(3));
      continue;
    }
    if (!row.IsNull(2)) {
      AccountEntry& entry = batch.accounts[row.Id<AccountId>(2)];
      if (!entry.found) entry.state = AccountFromRow(row, 2);
      entry.found = true;
    }
    if (!row.IsNull(13)) {
      loaded.cards.at(row.Int(1)) = {true, row.Int(14) != 0, row.Id<AccountId>(13)};
    }
  }
  for (const Command* command : commands) {
    if (batch.books.contains(command->book)) continue;
    return absl::FailedPreconditionError("a command names a book that does not exist");
  }
  return loaded;
}

void LoadLotsAndHolds(postgres::Transaction& tx, const std::map<AccountId, LotId>& from,
                      const std::set<RecordNumber>& named_holds, BatchState& batch) {
  if (from.empty()) return;
  using From = std::pair<const AccountId, LotId>;
  const auto book_of = [](const From& account) { return BookOf(account.first); };
  const auto lots = tx.Execute(
      kLoadLots,
      Params().IntArray(from, book_of).IntArray(from, &From::first).IntArray(from, &From::second));
  for (const Row& row : lots) {
    batch.accounts[row.Id<AccountId>(0)].state.lots.push_back(LotFromRow(row));
  }
  bool any_holds = !named_holds.empty();
  for (const auto& [id, lot] : from) {
    AccountEntry& entry = batch.accounts[id];
    entry.state.lots_loaded = true;
    entry.loaded_lots = entry.state.lots;
    any_holds = any_holds || entry.state.held > Points(0);
  }
  if (!any_holds) return;
  const auto holds = tx.Execute(
      kLoadHolds,
      Params().IntArray(from, book_of).IntArray(from, &From::first).IntArray(named_holds));
  for (const Row& row : holds) {
    AccountEntry& entry = batch.accounts[row.Id<AccountId>(0)];
    entry.state.holds.push_back(HoldFromRow(row, 9));
    entry.loaded_holds.push_back(entry.state.holds.back());
  }
}

std::vector<TakenClaim> FindClaims(postgres::Transaction& tx, const std::vector<Uuid>& keys) {
  std::vector<TakenClaim> taken;
  for (const Row& row : tx.Execute(kFindClaims, Params().UuidArray(keys))) {
    TakenClaim claim;
    claim.key = row.Uuid(0);
    claim.answer.place = {row.Id<BookId>(1), row.Id<RecordNumber>(2), row.Id<Timestamp>(3),
                          row.Digest(7)};
    claim.answer.kind = row.Enum<RecordKind>(4);
    claim.answer.response = row.Bytes(6);
    claim.answer.replayed = true;
    claim.fingerprint = row.Digest(5);
    taken.push_back(std::move(claim));
  }
  return taken;
}

}  // namespace guilder::ledger
