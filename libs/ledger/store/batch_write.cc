#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "libs/base/reason.h"
#include "libs/ledger/store/batch_sql.h"

namespace guilder::ledger {
namespace {

// Records of a batch that travels with its commit.
constexpr size_t kSmallBatch = 16;

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
// in one direction only; one that is taken fails the statement.
//
// Reading the arrays is a fifth of what a batch costs PostgreSQL, so what is the same for all rows
// is given once ($1 is the posted time), and what follows from an id is taken from it: the book of
// an account (account.h), the book and number of a record, kind and partner of a control account.
constexpr Statement kWriteBatch{"ledger.write_batch", R"sql(
  with journal as (
    insert into ledger.journal (book, number, posted_at_us, refers_to, account_id, partner_id,
                                config_version, kind, request_id, fingerprint, content, response, leaf,
                                natural_key)
    select (account_id & 65535)::int, number, $1::bigint, refers_to, account_id, partner_id, $2::bigint,
           kind, request_id, fingerprint, content, response, leaf, natural_key
      from unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::uuid[],
                  $9::bytea[], $10::bytea[], $11::bytea[], $12::bytea[], $13::uuid[])
        as r (number, refers_to, account_id, partner_id, kind, request_id, fingerprint, content,
              response, leaf, natural_key)
  ), entries as (
    insert into ledger.entries (book, number, line, posted_at_us, debit_account, debit_bucket,
                                debit_lot, credit_account, credit_bucket, credit_lot, contract_id,
                                points)
    select (debit_account & 65535)::int, number, line, $1, debit_account, debit_bucket, debit_lot,
           credit_account, credit_bucket, credit_lot, contract_id, points
      from unnest($14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[],
                  $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bigint[])
        as e (number, line, debit_account, debit_bucket, debit_lot, credit_account, credit_bucket,
              credit_lot, contract_id, points)
  ), claims as (
    insert into ledger.claims (claim_key, book, number, posted_at_us)
    select claim_key, (record & 65535)::int, record >> 16, $1
      from unnest($24::uuid[], $25::bigint[]) as c (claim_key, record)
  ), control_accounts as (
    insert into ledger.control_accounts as c (book, account_id, kind, partner_id, balance)
    select (account_id & 65535)::int, account_id, -(account_id >> 16) % 16, -(account_id >> 16) / 16,
           balance
      from unnest($26::bigint[], $27::bigint[]) as w (account_id, balance)
        on conflict (book, account_id) do update set balance = c.balance + excluded.balance
  ), positions as (
    insert into ledger.positions as p (book, window_start_us, contract_id, movement, points)
    select book, $28::bigint, contract_id, movement, points
      from unnest($29::bigint[], $30::bigint[], $31::bigint[], $32::bigint[])
        as w (book, contract_id, movement, points)
        on conflict (book, window_start_us, contract_id, movement)
        do update set points = p.points + excluded.points
  ), accounts as (
    update ledger.accounts a
       set status = w.status, pending = w.pending, available = w.available, held = w.held,
           debt = w.debt, next_due_at_us = w.next_due_at_us, first_open_lot = w.first_open_lot
      from unnest($33::bigint[], $34::bigint[], $35::bigint[], $36::bigint[], $37::bigint[],
                  $38::bigint[], $39::bigint[], $40::bigint[])
        as w (account_id, status, pending, available, held, debt, next_due_at_us, first_open_lot)
     where a.book = (w.account_id & 65535)::int and a.account_id = w.account_id
  ), lots as (
    insert into ledger.lots (book, account_id, lot_id, issuer_id, contract_id, issued,
                             activates_at_us, expires_at_us, on_due, state, remaining)
    select (account_id & 65535)::int, account_id, lot_id, issuer_id, contract_id, issued,
           activates_at_us, expires_at_us, on_due, state, issued
      from unnest($41::bigint[], $42::bigint[], $43::bigint[], $44::bigint[], $45::bigint[],
                  $46::bigint[], $47::bigint[], $48::bigint[], $49::bigint[])
        as l (account_id, lot_id, issuer_id, contract_id, issued, activates_at_us, expires_at_us,
              on_due, state)
  ), allowances as (
    update ledger.allowances a
       set remaining = a.remaining + w.change
      from unnest($54::bigint[], $55::bigint[], $56::bigint[]) as w (limit_id, book, change)
     where a.book = w.book and a.limit_id = w.limit_id
  )
  update ledger.books b
     set last_number = w.last_number, last_posted_at_us = $1, last_serial = w.last_serial,
         frontier = w.frontier
    from unnest($50::bigint[], $51::bigint[], $52::bigint[], $53::bytea[])
      as w (book, last_number, last_serial, frontier)
   where b.book = w.book
)sql"};

constexpr Statement kOpenAccounts{"ledger.open_accounts", R"sql(
  insert into ledger.accounts (book, account_id, opened_number, status, pending, available, held, debt,
                               next_due_at_us, first_open_lot)
  select (account_id & 65535)::int, account_id, opened_number, status, pending, available, held, debt,
         next_due_at_us, first_open_lot
    from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                $7::bigint[], $8::bigint[], $9::bigint[])
      as a (account_id, status, pending, available, held, debt, next_due_at_us, first_open_lot,
            opened_number)
)sql"};

// What changes when points are spent, taken back, or repay a debt. The parts of a hold are arrays,
// which cannot stand in an array of rows, so they come as text.
constexpr Statement kWriteLotsAndHolds{"ledger.write_lots_and_holds", R"sql(
  with lots as (
    update ledger.lots l
       set state = w.state, remaining = w.remaining, held = w.held, redeemed = w.redeemed,
           reversed = w.reversed, expired = w.expired, debt = w.debt
      from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
                  $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
        as w (account_id, lot_id, state, remaining, held, redeemed, reversed, expired, debt)
     where l.book = (w.account_id & 65535)::int and l.account_id = w.account_id
       and l.lot_id = w.lot_id
  )
  insert into ledger.holds (book, number, account_id, partner_id, store_id, contract_id, authorized,
                            expires_at_us, state, captured, refunded, lot_ids, lot_held, lot_captured,
                            lot_refunded)
  select (account_id & 65535)::int, number, account_id, partner_id, store_id, contract_id, authorized,
         expires_at_us, state, captured, refunded, lot_ids::bigint[], lot_held::bigint[],
         lot_captured::bigint[], lot_refunded::bigint[]
    from unnest($10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
                $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::text[],
                $21::text[], $22::text[], $23::text[])
      as h (number, account_id, partner_id, store_id, contract_id, authorized, expires_at_us, state,
            captured, refunded, lot_ids, lot_held, lot_captured, lot_refunded)
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

struct HoldRow {
  AccountId account;
  const Hold* hold;
};

using PositionKey = std::tuple<BookId, ContractId, Movement>;

// The batch as rows of each table.
struct Rows {
  std::vector<EntryRow> entries;
  std::vector<ClaimRow> claims;
  std::map<AccountId, Points> control_accounts;
  std::map<PositionKey, Points> positions;
  std::vector<const AccountEntry*> changed_accounts;
  std::vector<const AccountEntry*> opened_accounts;
  std::vector<LotRow> new_lots;
  // Those that are new, too, when they are no longer as they were issued.
  std::vector<LotRow> changed_lots;
  std::vector<HoldRow> holds;
  std::vector<const BookState*> books;
};

void AddEntryRows(const Record& record, Rows& rows) {
  int line = 0;
  for (const Entry& entry : record.entries) {
    rows.entries.push_back({&record, ++line, &entry});
    if (IsControl(entry.debit.bucket)) {
      rows.control_accounts[entry.debit.account] -= entry.points;
    }
    if (IsControl(entry.credit.bucket)) {
      rows.control_accounts[entry.credit.account] += entry.points;
    }
    const Movement movement = MovementOf(entry.debit.bucket, entry.credit.bucket);
    if (movement != Movement::kNone) {
      rows.positions[{record.book, entry.contract, movement}] += entry.points;
    }
  }
}

bool AsIssued(const Lot& lot) {
  return lot.remaining == lot.issued && lot.held == Points(0) && lot.redeemed == Points(0) &&
         lot.reversed == Points(0) && lot.expired == Points(0) && lot.debt == Points(0);
}

void AddAccountRows(const AccountEntry& entry, Rows& rows) {
  (entry.found ? rows.changed_accounts : rows.opened_accounts).push_back(&entry);
  for (const Lot& lot : entry.state.lots) {
    const auto loaded = std::find_if(entry.loaded_lots.begin(), entry.loaded_lots.end(),
                                     [&](const Lot& before) { return before.id == lot.id; });
    const bool is_new = loaded == entry.loaded_lots.end();
    if (is_new) rows.new_lots.push_back({entry.state.id, &lot});
    if (is_new ? !AsIssued(lot) : *loaded != lot) {
      rows.changed_lots.push_back({entry.state.id, &lot});
    }
  }
  for (const Hold& hold : entry.state.holds) {
    const auto same = std::find(entry.loaded_holds.begin(), entry.loaded_holds.end(), hold);
    if (same == entry.loaded_holds.end()) rows.holds.push_back({entry.state.id, &hold});
  }
}

Rows MakeRows(const BatchState& batch) {
  Rows rows;
  for (size_t i = 0; i < batch.records.size(); ++i) {
    const Record& record = batch.records[i];
    AddEntryRows(record, rows);
    rows.claims.push_back({batch.request_claims[i], &record});
    if (record.natural_key) rows.claims.push_back({*record.natural_key, &record});
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
  params.IntArray(r, &Record::number)
      .IntArray(r, [](const Record& record) { return OrNull(record.refers_to); })
      .IntArray(r, &Record::account)
      .IntArray(r, &Record::partner)
      .IntArray(r, &Record::kind)
      .UuidArray(r, &Record::request_id)
      .BytesArray(r, &Record::fingerprint)
      .BytesArray(r, &Record::content)
      .BytesArray(r, &Record::response)
      .BytesArray(batch.leaves)
      .UuidArray(r, &Record::natural_key);
}

void AddEntries(const std::vector<EntryRow>& e, Params& params) {
  params.IntArray(e, [](const EntryRow& row) { return row.record->number; })
      .IntArray(e, &EntryRow::line)
      .IntArray(e, [](const EntryRow& row) { return row.entry->debit.account; })
      .IntArray(e, [](const EntryRow& row) { return row.entry->debit.bucket; })
      .IntArray(e, [](const EntryRow& row) { return OrNull(row.entry->debit.lot); })
      .IntArray(e, [](const EntryRow& row) { return row.entry->credit.account; })
      .IntArray(e, [](const EntryRow& row) { return row.entry->credit.bucket; })
      .IntArray(e, [](const EntryRow& row) { return OrNull(row.entry->credit.lot); })
      .IntArray(e, [](const EntryRow& row) { return OrNull(row.entry->contract); })
      .IntArray(e, [](const EntryRow& row) { return row.entry->points; });
}

// A record as one number, made as the ids of accounts are.
int64_t RecordKey(const Record& record) {
  return record.number.value() * kBooksPerSerial + record.book.value();
}

void AddClaims(const std::vector<ClaimRow>& c, Params& params) {
  params.UuidArray(c, &ClaimRow::key).IntArray(c, [](const ClaimRow& claim) {
    return RecordKey(*claim.record);
  });
}

void AddSums(const Rows& rows, Timestamp window_start, Params& params) {
  using Control = std::pair<const AccountId, Points>;
  const auto& c = rows.control_accounts;
  params.IntArray(c, &Control::first).IntArray(c, &Control::second);
  using Position = std::pair<const PositionKey, Points>;
  const auto& p = rows.positions;
  params.Int(window_start)
      .IntArray(p, [](const Position& row) { return std::get<BookId>(row.first); })
      .IntArray(p, [](const Position& row) { return std::get<ContractId>(row.first); })
      .IntArray(p, [](const Position& row) { return std::get<Movement>(row.first); })
      .IntArray(p, &Position::second);
}

void AddAccounts(const std::vector<const AccountEntry*>& a, Params& params) {
  params.IntArray(a, [](const AccountEntry* e) { return e->state.id; })
      .IntArray(a, [](const AccountEntry* e) { return e->state.status; })
      .IntArray(a, [](const AccountEntry* e) { return e->state.pending; })
      .IntArray(a, [](const AccountEntry* e) { return e->state.available; })
      .IntArray(a, [](const AccountEntry* e) { return e->state.held; })
      .IntArray(a, [](const AccountEntry* e) { return e->state.debt; })
      .IntArray(a, [](const AccountEntry* e) { return e->state.next_due_at; })
      .IntArray(a, [](const AccountEntry* e) { return e->state.first_open_lot; });
}

void AddNewLots(const std::vector<LotRow>& l, Params& params) {
  params.IntArray(l, &LotRow::account)
      .IntArray(l, [](const LotRow& row) { return row.lot->id; })
      .IntArray(l, [](const LotRow& row) { return row.lot->issuer; })
      .IntArray(l, [](const LotRow& row) { return row.lot->contract; })
      .IntArray(l, [](const LotRow& row) { return row.lot->issued; })
      .IntArray(l, [](const LotRow& row) { return row.lot->activates_at; })
      .IntArray(l, [](const LotRow& row) { return row.lot->expires_at; })
      .IntArray(l, [](const LotRow& row) { return row.lot->on_due; })
      .IntArray(l, [](const LotRow& row) { return row.lot->state; });
}

void AddChangedLots(const std::vector<LotRow>& l, Params& params) {
  params.IntArray(l, &LotRow::account)
      .IntArray(l, [](const LotRow& row) { return row.lot->id; })
      .IntArray(l, [](const LotRow& row) { return row.lot->state; })
      .IntArray(l, [](const LotRow& row) { return row.lot->remaining; })
      .IntArray(l, [](const LotRow& row) { return row.lot->held; })
      .IntArray(l, [](const LotRow& row) { return row.lot->redeemed; })
      .IntArray(l, [](const LotRow& row) { return row.lot->reversed; })
      .IntArray(l, [](const LotRow& row) { return row.lot->expired; })
      .IntArray(l, [](const LotRow& row) { return row.lot->debt; });
}

void AddBooks(const std::vector<const BookState*>& b, Params& params) {
  params.IntArray(b, [](const BookState* book) { return book->id; })
      .IntArray(b, [](const BookState* book) { return book->frontier.size(); })
      .IntArray(b, [](const BookState* book) { return book->last_serial; })
      .BytesArray(b, [](const BookState* book) { return book->frontier.ToBytes(); });
}

void AddAllowances(const std::map<Allowances::Key, Points>& a, Params& params) {
  using Change = std::pair<const Allowances::Key, Points>;
  params.IntArray(a, [](const Change& change) { return change.first.first; })
      .IntArray(a, [](const Change& change) { return change.first.second; })
      .IntArray(a, &Change::second);
}

// One figure of a hold's parts, as the text of an array.
template <typename Member>
std::string PartsText(const Hold& hold, Member HoldPart::*member) {
  return absl::StrCat("{",
                      absl::StrJoin(hold.parts, ",",
                                    [member](std::string* out, const HoldPart& part) {
                                      absl::StrAppend(out, (part.*member).value());
                                    }),
                      "}");
}

void AddHolds(const std::vector<HoldRow>& h, Params& params) {
  params.IntArray(h, [](const HoldRow& row) { return row.hold->number; })
      .IntArray(h, &HoldRow::account)
      .IntArray(h, [](const HoldRow& row) { return row.hold->partner; })
      .IntArray(h, [](const HoldRow& row) { return row.hold->store; })
      .IntArray(h, [](const HoldRow& row) { return row.hold->contract; })
      .IntArray(h, [](const HoldRow& row) { return row.hold->authorized; })
      .IntArray(h, [](const HoldRow& row) { return row.hold->expires_at; })
      .IntArray(h, [](const HoldRow& row) { return row.hold->state; })
      .IntArray(h, [](const HoldRow& row) { return row.hold->captured(); })
      .IntArray(h, [](const HoldRow& row) { return row.hold->refunded(); })
      .TextArray(h, [](const HoldRow& row) { return PartsText(*row.hold, &HoldPart::lot); })
      .TextArray(h, [](const HoldRow& row) { return PartsText(*row.hold, &HoldPart::held); })
      .TextArray(h, [](const HoldRow& row) { return PartsText(*row.hold, &HoldPart::captured); })
      .TextArray(h, [](const HoldRow& row) { return PartsText(*row.hold, &HoldPart::refunded); });
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

void WriteBatch(postgres::Transaction& tx, const BatchState& batch,
                const std::map<Allowances::Key, Points>& allowance_changes,
                const Configuration& configuration) {
  const Rows rows = MakeRows(batch);
  // A small batch spares a round trip; a large one is quicker in binary.
  const auto form =
      batch.records.size() <= kSmallBatch ? Params::Form::kText : Params::Form::kBinary;
  InsertSeals(tx, SealsOfChangedBooks(batch));
  Params params(form);
  params.Int(batch.posted_at).Int(configuration.version());
  AddJournal(batch, params);
  AddEntries(rows.entries, params);
  AddClaims(rows.claims, params);
  AddSums(rows, configuration.calendar().WindowStart(batch.posted_at), params);
  AddAccounts(rows.changed_accounts, params);
  AddNewLots(rows.new_lots, params);
  AddBooks(rows.books, params);
  AddAllowances(allowance_changes, params);
  tx.ExecuteLater(kWriteBatch, std::move(params));

  if (!rows.opened_accounts.empty()) {
    Params opened(form);
    AddAccounts(rows.opened_accounts, opened);
    opened.IntArray(rows.opened_accounts, [](const AccountEntry* e) { return e->opened_by; });
    tx.ExecuteLater(kOpenAccounts, std::move(opened));
  }
  if (!rows.changed_lots.empty() || !rows.holds.empty()) {
    Params changed(form);
    AddChangedLots(rows.changed_lots, changed);
    AddHolds(rows.holds, changed);
    tx.ExecuteLater(kWriteLotsAndHolds, std::move(changed));
  }
}

}  // namespace guilder::ledger
