#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "libs/base/reason.h"
#include "libs/ledger/store/batch_sql.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Statement;

constexpr Statement kWriteRefusals{"ledger.write_refusals", R"sql(
  insert into ledger.refusals as r
         (book, slot, kind, partner_id, account_id, at_us, request_id, reason, detail)
  select * from unnest($1::int[], $2::smallint[], $3::smallint[], $4::int[], $5::bigint[],
                       $6::bigint[], $7::uuid[], $8::text[], $9::text[])
      on conflict (book, slot) do update
     set kind = excluded.kind, partner_id = excluded.partner_id, account_id = excluded.account_id,
         at_us = excluded.at_us, request_id = excluded.request_id, reason = excluded.reason,
         detail = excluded.detail
)sql"};

// Everything that nearly every batch writes, in one round trip. No table is touched twice. Claims
// come in the order of their keys, so that two lanes which want the same ones wait for each other
// in one direction only; a claim that was taken meanwhile makes the count fall short.
constexpr Statement kWriteBatch{"ledger.write_batch", R"sql(
  with journal as (
    insert into ledger.journal (book, number, posted_at_us, refers_to, account_id, partner_id,
                                config_version, kind, request_id, fingerprint, content, response, leaf)
    select * from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[],
                         $7::int[], $8::smallint[], $9::uuid[], $10::bytea[], $11::bytea[],
                         $12::bytea[], $13::bytea[])
  ), entries as (
    insert into ledger.entries (book, number, line, posted_at_us, debit_account, debit_bucket,
                                debit_lot, credit_account, credit_bucket, credit_lot, contract_id,
                                points)
    select * from unnest($14::int[], $15::bigint[], $16::smallint[], $17::bigint[], $18::bigint[],
                         $19::smallint[], $20::bigint[], $21::bigint[], $22::smallint[],
                         $23::bigint[], $24::int[], $25::bigint[])
  ), claims as (
    insert into ledger.claims (claim_key, book, number, posted_at_us)
    select * from unnest($26::uuid[], $27::int[], $28::bigint[], $29::bigint[])
        on conflict (claim_key) do nothing
    returning 1
  ), control_accounts as (
    insert into ledger.control_accounts as c (book, account_id, kind, partner_id, balance)
    select * from unnest($30::int[], $31::bigint[], $32::smallint[], $33::int[], $34::bigint[])
        on conflict (book, account_id) do update set balance = c.balance + excluded.balance
  ), positions as (
    insert into ledger.positions as p (book, window_start_us, contract_id, movement, points)
    select * from unnest($35::int[], $36::bigint[], $37::int[], $38::smallint[], $39::bigint[])
        on conflict (book, window_start_us, contract_id, movement)
        do update set points = p.points + excluded.points
  ), accounts as (
    update ledger.accounts a
       set status = w.status, pending = w.pending, available = w.available, held = w.held,
           debt = w.debt, next_due_at_us = w.next_due_at_us, first_open_lot = w.first_open_lot
      from unnest($40::int[], $41::bigint[], $42::smallint[], $43::bigint[], $44::bigint[],
                  $45::bigint[], $46::bigint[], $47::bigint[], $48::bigint[])
        as w (book, account_id, status, pending, available, held, debt, next_due_at_us,
              first_open_lot)
     where a.book = w.book and a.account_id = w.account_id
  ), lots as (
    insert into ledger.lots (book, account_id, lot_id, issuer_id, contract_id, issued,
                             activates_at_us, expires_at_us, on_due, state, remaining, held, redeemed,
                             reversed, expired, debt)
    select * from unnest($49::int[], $50::bigint[], $51::bigint[], $52::int[], $53::int[],
                         $54::bigint[], $55::bigint[], $56::bigint[], $57::smallint[],
                         $58::smallint[], $59::bigint[], $60::bigint[], $61::bigint[], $62::bigint[],
                         $63::bigint[], $64::bigint[])
  ), books as (
    update ledger.books b
       set last_number = w.last_number, last_posted_at_us = w.last_posted_at_us,
           last_serial = w.last_serial, frontier = w.frontier
      from unnest($65::int[], $66::bigint[], $67::bigint[], $68::bigint[], $69::bytea[])
        as w (book, last_number, last_posted_at_us, last_serial, frontier)
     where b.book = w.book
  )
  select count(*) from claims
)sql"};

constexpr Statement kOpenAccounts{"ledger.open_accounts", R"sql(
  insert into ledger.accounts (book, account_id, opened_number, status, pending, available, held, debt,
                               next_due_at_us, first_open_lot)
  select * from unnest($1::int[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bigint[],
                       $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
)sql"};

constexpr Statement kUpdateLots{"ledger.update_lots", R"sql(
  update ledger.lots l
     set state = w.state, remaining = w.remaining, held = w.held, redeemed = w.redeemed,
         reversed = w.reversed, expired = w.expired, debt = w.debt
    from unnest($1::int[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bigint[], $6::bigint[],
                $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
      as w (book, account_id, lot_id, state, remaining, held, redeemed, reversed, expired, debt)
   where l.book = w.book and l.account_id = w.account_id and l.lot_id = w.lot_id
)sql"};

// Arrays in an array of rows do not unnest, so a hold is written by itself; holds are rare beside
// purchases.
constexpr Statement kWriteHold{"ledger.write_hold", R"sql(
  insert into ledger.holds (book, number, account_id, partner_id, store_id, contract_id, authorized,
                            expires_at_us, state, captured, refunded, lot_ids, lot_held, lot_captured,
                            lot_refunded)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::bigint[], $13::bigint[], $14::bigint[],
          $15::bigint[])
      on conflict (book, number) do update
     set state = excluded.state, captured = excluded.captured, refunded = excluded.refunded,
         lot_held = excluded.lot_held, lot_captured = excluded.lot_captured,
         lot_refunded = excluded.lot_refunded
)sql"};

template <typename Id>
std::optional<int64_t> OrNull(Id id) {
  return id ? std::optional<int64_t>(id.value()) : std::nullopt;
}

struct ClaimRow {
  Uuid key;
  const Record* record;
};

struct EntryRow {
  const Record* record;
  int line;
  const Entry* entry;
};

struct LotRow {
  AccountId account;
  const Lot* lot;
};

using ControlKey = std::pair<BookId, AccountId>;
using PositionKey = std::tuple<BookId, Timestamp, ContractId, Movement>;

// The batch as rows of each table.
struct Rows {
  std::vector<EntryRow> entries;
  std::vector<ClaimRow> claims;
  std::map<ControlKey, Points> control_accounts;
  std::map<PositionKey, Points> positions;
  std::vector<const AccountEntry*> changed_accounts;
  std::vector<const AccountEntry*> opened_accounts;
  std::vector<LotRow> new_lots;
  std::vector<LotRow> changed_lots;
  std::vector<std::pair<AccountId, const Hold*>> holds;
  std::vector<const BookState*> books;
};

void AddEntryRows(const Record& record, Timestamp window_start, Rows& rows) {
  int line = 0;
  for (const Entry& entry : record.entries) {
    rows.entries.push_back({&record, ++line, &entry});
    if (IsControl(entry.debit.bucket)) {
      rows.control_accounts[{record.book, entry.debit.account}] -= entry.points;
    }
    if (IsControl(entry.credit.bucket)) {
      rows.control_accounts[{record.book, entry.credit.account}] += entry.points;
    }
    const Movement movement = MovementOf(entry.debit.bucket, entry.credit.bucket);
    if (movement != Movement::kNone) {
      rows.positions[{record.book, window_start, entry.contract, movement}] += entry.points;
    }
  }
}

void AddAccountRows(const AccountEntry& entry, Rows& rows) {
  (entry.found ? rows.changed_accounts : rows.opened_accounts).push_back(&entry);
  for (const Lot& lot : entry.state.lots) {
    const auto loaded = std::find_if(entry.loaded_lots.begin(), entry.loaded_lots.end(),
                                     [&](const Lot& before) { return before.id == lot.id; });
    if (loaded == entry.loaded_lots.end()) {
      rows.new_lots.push_back({entry.state.id, &lot});
    } else if (*loaded != lot) {
      rows.changed_lots.push_back({entry.state.id, &lot});
    }
  }
  for (const Hold& hold : entry.state.holds) {
    const auto same = std::find(entry.loaded_holds.begin(), entry.loaded_holds.end(), hold);
    if (same == entry.loaded_holds.end()) rows.holds.emplace_back(entry.state.id, &hold);
  }
}

Rows MakeRows(const BatchState& batch, const Configuration& configuration) {
  Rows rows;
  std::map<Timestamp, Timestamp> window_starts;  // few: one posted time for each book
  for (size_t i = 0; i < batch.records.size(); ++i) {
    const Record& record = batch.records[i];
    const auto [window, is_new] = window_starts.try_emplace(record.posted_at);
    if (is_new) window->second = configuration.calendar().WindowStart(record.posted_at);
    AddEntryRows(record, window->second, rows);
    rows.claims.push_back({batch.request_claims[i], &record});
    if (batch.natural_keys[i]) rows.claims.push_back({*batch.natural_keys[i], &record});
  }
  std::sort(rows.claims.begin(), rows.claims.end(),
            [](const ClaimRow& a, const ClaimRow& b) { return a.key < b.key; });
  for (const auto& [id, entry] : batch.accounts) {
    if (entry.changed) AddAccountRows(entry, rows);
  }
  for (const auto& [id, book] : batch.books) {
    if (book.changed) rows.books.push_back(&book);
  }
  return rows;
}

void AddJournal(const BatchState& batch, Params& params) {
  const std::vector<Record>& r = batch.records;
  params.IntArray(r, &Record::book)
      .IntArray(r, &Record::number)
      .IntArray(r, &Record::posted_at)
      .IntArray(r, [](const Record& record) { return OrNull(record.refers_to); })
      .IntArray(r, &Record::account)
      .IntArray(r, &Record::partner)
      .IntArray(r, &Record::config_version)
      .IntArray(r, &Record::kind)
      .UuidArray(r, &Record::request_id)
      .BytesArray(r, &Record::fingerprint)
      .BytesArray(r, &Record::content)
      .BytesArray(r, &Record::response)
      .BytesArray(batch.leaves);
}

void AddEntries(const std::vector<EntryRow>& e, Params& params) {
  params.IntArray(e, [](const EntryRow& row) { return row.record->book; })
      .IntArray(e, [](const EntryRow& row) { return row.record->number; })
      .IntArray(e, &EntryRow::line)
      .IntArray(e, [](const EntryRow& row) { return row.record->posted_at; })
      .IntArray(e, [](const EntryRow& row) { return row.entry->debit.account; })
      .IntArray(e, [](const EntryRow& row) { return row.entry->debit.bucket; })
      .IntArray(e, [](const EntryRow& row) { return OrNull(row.entry->debit.lot); })
      .IntArray(e, [](const EntryRow& row) { return row.entry->credit.account; })
      .IntArray(e, [](const EntryRow& row) { return row.entry->credit.bucket; })
      .IntArray(e, [](const EntryRow& row) { return OrNull(row.entry->credit.lot); })
      .IntArray(e, [](const EntryRow& row) { return OrNull(row.entry->contract); })
      .IntArray(e, [](const EntryRow& row) { return row.entry->points; });
}

void AddSums(const Rows& rows, Params& params) {
  using Control = std::pair<const ControlKey, Points>;
  const auto& c = rows.control_accounts;
  params.IntArray(c, [](const Control& row) { return row.first.first; })
      .IntArray(c, [](const Control& row) { return row.first.second; })
      .IntArray(c, [](const Control& row) { return ControlAccountOf(row.first.second).kind; })
      .IntArray(c, [](const Control& row) { return ControlAccountOf(row.first.second).partner; })
      .IntArray(c, [](const Control& row) { return row.second; });
  using Position = std::pair<const PositionKey, Points>;
  const auto& p = rows.positions;
  params.IntArray(p, [](const Position& row) { return std::get<BookId>(row.first); })
      .IntArray(p, [](const Position& row) { return std::get<Timestamp>(row.first); })
      .IntArray(p, [](const Position& row) { return std::get<ContractId>(row.first); })
      .IntArray(p, [](const Position& row) { return std::get<Movement>(row.first); })
      .IntArray(p, [](const Position& row) { return row.second; });
}

void AddBalances(const std::vector<const AccountEntry*>& a, Params& params) {
  params.IntArray(a, [](const AccountEntry* e) { return e->state.status; })
      .IntArray(a, [](const AccountEntry* e) { return e->state.pending; })
      .IntArray(a, [](const AccountEntry* e) { return e->state.available; })
      .IntArray(a, [](const AccountEntry* e) { return e->state.held; })
      .IntArray(a, [](const AccountEntry* e) { return e->state.debt; })
      .IntArray(a, [](const AccountEntry* e) { return e->state.next_due_at; })
      .IntArray(a, [](const AccountEntry* e) { return e->state.first_open_lot; });
}

void AddAccountIds(const std::vector<const AccountEntry*>& a, Params& params) {
  params.IntArray(a, [](const AccountEntry* e) { return BookOf(e->state.id); })
      .IntArray(a, [](const AccountEntry* e) { return e->state.id; });
}

void AddLotIds(const std::vector<LotRow>& l, Params& params) {
  params.IntArray(l, [](const LotRow& row) { return BookOf(row.account); })
      .IntArray(l, &LotRow::account)
      .IntArray(l, [](const LotRow& row) { return row.lot->id; });
}

void AddLotTerms(const std::vector<LotRow>& l, Params& params) {
  params.IntArray(l, [](const LotRow& row) { return row.lot->issuer; })
      .IntArray(l, [](const LotRow& row) { return row.lot->contract; })
      .IntArray(l, [](const LotRow& row) { return row.lot->issued; })
      .IntArray(l, [](const LotRow& row) { return row.lot->activates_at; })
      .IntArray(l, [](const LotRow& row) { return row.lot->expires_at; })
      .IntArray(l, [](const LotRow& row) { return row.lot->on_due; });
}

void AddLotState(const std::vector<LotRow>& l, Params& params) {
  params.IntArray(l, [](const LotRow& row) { return row.lot->state; })
      .IntArray(l, [](const LotRow& row) { return row.lot->remaining; })
      .IntArray(l, [](const LotRow& row) { return row.lot->held; })
      .IntArray(l, [](const LotRow& row) { return row.lot->redeemed; })
      .IntArray(l, [](const LotRow& row) { return row.lot->reversed; })
      .IntArray(l, [](const LotRow& row) { return row.lot->expired; })
      .IntArray(l, [](const LotRow& row) { return row.lot->debt; });
}

void WriteHold(postgres::Transaction& tx, AccountId account, const Hold& hold) {
  tx.Execute(kWriteHold, Params()
                             .Int(BookOf(account))
                             .Int(hold.number)
                             .Int(account)
                             .Int(hold.partner)
                             .Int(hold.store)
                             .Int(hold.contract)
                             .Int(hold.authorized)
                             .Int(hold.expires_at)
                             .Int(hold.state)
                             .Int(hold.captured())
                             .Int(hold.refunded())
                             .IntArray(hold.parts, &HoldPart::lot)
                             .IntArray(hold.parts, &HoldPart::held)
                             .IntArray(hold.parts, &HoldPart::captured)
                             .IntArray(hold.parts, &HoldPart::refunded));
}

// A book that nothing was posted to has not passed the boundary.
std::vector<Seal> SealsOfChangedBooks(const BatchState& batch) {
  std::vector<Seal> seals;
  for (const Seal& seal : batch.seals) {
    if (batch.books.at(seal.book).changed) seals.push_back(seal);
  }
  return seals;
}

// The slot of a refusal in its book's bounded log.
int RefusalSlot(const Uuid& request_id) {
  return (request_id[14] << 8 | request_id[15]) & 0xfff;
}

}  // namespace

void WriteRefusals(postgres::Transaction& tx, const std::vector<LoggedRefusal>& refusals) {
  // Two refusals of one slot in one statement would collide: the later one stays.
  std::map<std::pair<BookId, int>, const LoggedRefusal*> by_slot;
  for (const LoggedRefusal& refusal : refusals) {
    by_slot[{refusal.command->book, RefusalSlot(refusal.command->request_id)}] = &refusal;
  }
  using Slot = decltype(by_slot)::value_type;
  const auto& s = by_slot;
  tx.Execute(
      kWriteRefusals,
      Params()
          .IntArray(s, [](const Slot& slot) { return slot.first.first; })
          .IntArray(s, [](const Slot& slot) { return slot.first.second; })
          .IntArray(s, [](const Slot& slot) { return slot.second->command->kind; })
          .IntArray(s, [](const Slot& slot) { return slot.second->command->partner; })
          .IntArray(s, [](const Slot& slot) { return slot.second->command->account; })
          .IntArray(s, [](const Slot& slot) { return slot.second->at; })
          .UuidArray(s, [](const Slot& slot) { return slot.second->command->request_id; })
          .TextArray(s,
                     [](const Slot& slot) {
                       return ReasonName(ReasonOf(slot.second->status).value_or(Reason::kInternal));
                     })
          .TextArray(s, [](const Slot& slot) {
            return std::string(slot.second->status.message()).substr(0, 300);
          }));
}

absl::Status WriteBatch(postgres::Transaction& tx, const BatchState& batch,
                        const Configuration& configuration) {
  const Rows rows = MakeRows(batch, configuration);
  Params params;
  AddJournal(batch, params);
  AddEntries(rows.entries, params);
  params.UuidArray(rows.claims, &ClaimRow::key)
      .IntArray(rows.claims, [](const ClaimRow& claim) { return claim.record->book; })
      .IntArray(rows.claims, [](const ClaimRow& claim) { return claim.record->number; })
      .IntArray(rows.claims, [](const ClaimRow& claim) { return claim.record->posted_at; });
  AddSums(rows, params);
  AddAccountIds(rows.changed_accounts, params);
  AddBalances(rows.changed_accounts, params);
  AddLotIds(rows.new_lots, params);
  AddLotTerms(rows.new_lots, params);
  AddLotState(rows.new_lots, params);
  const std::vector<const BookState*>& b = rows.books;
  params.IntArray(b, [](const BookState* book) { return book->id; })
      .IntArray(b, [](const BookState* book) { return book->frontier.size(); })
      .IntArray(b, [](const BookState* book) { return book->posted_at; })
      .IntArray(b, [](const BookState* book) { return book->last_serial; })
      .BytesArray(b, [](const BookState* book) { return book->frontier.ToBytes(); });
  const int64_t claimed = tx.Execute(kWriteBatch, params)[0].Int(0);
  if (claimed < static_cast<int64_t>(rows.claims.size())) return ClaimTaken();

  InsertSeals(tx, SealsOfChangedBooks(batch));
  if (!rows.opened_accounts.empty()) {
    Params opened;
    AddAccountIds(rows.opened_accounts, opened);
    opened.IntArray(rows.opened_accounts, [](const AccountEntry* e) { return e->opened_by; });
    AddBalances(rows.opened_accounts, opened);
    tx.Execute(kOpenAccounts, opened);
  }
  if (!rows.changed_lots.empty()) {
    Params changed;
    AddLotIds(rows.changed_lots, changed);
    AddLotState(rows.changed_lots, changed);
    tx.Execute(kUpdateLots, changed);
  }
  for (const auto& [account, hold] : rows.holds) WriteHold(tx, account, *hold);
  return absl::OkStatus();
}

}  // namespace guilder::ledger
