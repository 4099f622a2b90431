#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/ledger/store/batch_sql.h"

namespace guilder::ledger {
namespace {

// Records of a batch that travels with its commit.
constexpr size_t kSmallBatch = 4;

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
// Reading parameters is a good part of what a batch costs PostgreSQL, a small one above all: so the
// integers of a table's rows are one array ($4 has seven for each record), what is the same for all
// rows is given once ($1 is the posted time), and what follows from an id is taken from it: the
// book of an account (account.h), the book and number of a record, kind and partner of a control
// account. Values of varying length stand in arrays of their own, which are read from
// front to back. Lots that may be spent at several partners are rare: such a one says -2, -3 … for
// the first, second … list of partners in $21.
constexpr Statement kWriteBatch{"ledger.write_batch", R"sql(
  with journal as (
    insert into ledger.journal (book, number, posted_at_us, refers_to, account_id, partner_id,
                                config_version, kind, restored_until_us, active_until_us, request_id,
                                fingerprint, content, response, leaf, natural_key)
    select ($4[i + 2] & 65535)::int, $4[i], $1::bigint, nullif($4[i + 1], 0), $4[i + 2],
           $4[i + 3], $2::bigint, $4[i + 4], nullif($4[i + 5], 0), nullif($4[i + 6], 0),
           request_id, fingerprint, content, response, leaf, natural_key
      from (select 7 * record - 6 as i, r.*
              from unnest($5::uuid[], $6::bytea[], $7::bytea[], $8::bytea[], $9::bytea[], $10::uuid[])
                     with ordinality
                   as r (request_id, fingerprint, content, response, leaf, natural_key, record)
             where cardinality($4::bigint[]) = 7 * cardinality($5)) as r
  ), entries as (
    insert into ledger.entries (book, number, line, posted_at_us, debit_account, debit_bucket,
                                debit_lot, credit_account, credit_bucket, credit_lot, contract_id,
                                points)
    select ($11[i + 2] & 65535)::int, $11[i], $11[i + 1], $1, $11[i + 2], $11[i + 3],
           nullif($11[i + 4], 0), $11[i + 5], $11[i + 6], nullif($11[i + 7], 0),
           nullif($11[i + 8], 0), $11[i + 9]
      from generate_series(1, cardinality($11::bigint[]), 10) as i
  ), claims as (
    insert into ledger.claims (claim_key, book, number, posted_at_us)
    select $12[i], (($13::bigint[])[i] & 65535)::int, $13[i] >> 16, $1
      from generate_series(1, cardinality($12::uuid[])) as i
  ), control_accounts as (
    insert into ledger.control_accounts as c (book, account_id, kind, partner_id, balance)
    select ($14[i] & 65535)::int, $14[i], -($14[i] >> 16) % 16, -($14[i] >> 16) / 16, $14[i + 1]
      from generate_series(1, cardinality($14::bigint[]), 2) as i
        on conflict (book, account_id) do update set balance = c.balance + excluded.balance
  ), positions as (
    insert into ledger.positions as p (book, window_start_us, contract_id, movement, points)
    select $15[i], $3::bigint, $15[i + 1], $15[i + 2], $15[i + 3]
      from generate_series(1, cardinality($15::bigint[]), 4) as i
        on conflict (book, window_start_us, contract_id, movement)
        do update set points = p.points + excluded.points
  ), accounts as (
    update ledger.accounts a
       set status = $16[i + 1], pending = $16[i + 2], available = $16[i + 3], held = $16[i + 4],
           debt = $16[i + 5], next_due_at_us = $16[i + 6], first_open_lot = $16[i + 7],
           active_until_us = $16[i + 8]
      from generate_series(1, cardinality($16::bigint[]), 9) as i
     where a.book = ($16[i] & 65535)::int and a.account_id = $16[i]
  ), lots as (
    insert into ledger.lots (book, account_id, lot_id, issuer_id, contract_id, issued,
                             activates_at_us, expires_at_us, on_due, state, remaining,
                             origin_account, origin_lot, restricted_to, restricted_partners,
                             lives_by_activity)
    select ($17[i] & 65535)::int, $17[i], $17[i + 1], $17[i + 2], $17[i + 3], $17[i + 4],
           $17[i + 5], $17[i + 6], $17[i + 7], $17[i + 8], $17[i + 4],
           nullif($17[i + 9], 0), nullif($17[i + 10], 0), greatest($17[i + 11], -2),
           ($21::text[])[-1 - $17[i + 11]]::int[], $17[i + 12]
      from generate_series(1, cardinality($17::bigint[]), 13) as i
  ), allowances as (
    update ledger.allowances a
       set remaining = a.remaining + $18[i + 2]
      from generate_series(1, cardinality($18::bigint[]), 3) as i
     where a.book = $18[i + 1]::int and a.limit_id = $18[i]
  )
  update ledger.books b
     set last_number = $19[i], last_posted_at_us = $1, last_serial = $19[i + 1],
         frontier = w.frontier
    from (select 3 * book - 1 as i, frontier
            from unnest($20::bytea[]) with ordinality as w (frontier, book)
           where cardinality($19::bigint[]) = 3 * cardinality($20)) as w
   where b.book = $19[i - 1]::int
)sql"};

constexpr Statement kOpenAccounts{"ledger.open_accounts", R"sql(
  insert into ledger.accounts (book, account_id, opened_number, status, pending, available, held, debt,
                               next_due_at_us, first_open_lot, active_until_us)
  select ($1[i] & 65535)::int, $1[i], ($2::bigint[])[(i + 8) / 9], $1[i + 1], $1[i + 2], $1[i + 3], $1[i + 4],
         $1[i + 5], $1[i + 6], $1[i + 7], $1[i + 8]
    from generate_series(1, cardinality($1::bigint[]), 9) as i
)sql"};

// What changes when points are spent, taken back, or repay a debt. The parts of a hold stand in $3,
// figure after figure: a row of $2 says where they begin and how many they are.
constexpr Statement kWriteLotsAndHolds{"ledger.write_lots_and_holds", R"sql(
  with lots as (
    update ledger.lots l
       set state = $1[i + 2], remaining = $1[i + 3], held = $1[i + 4], redeemed = $1[i + 5],
           reversed = $1[i + 6], expired = $1[i + 7], debt = $1[i + 8], moved = $1[i + 9],
           restored_until_us = $1[i + 10], forfeited = $1[i + 11]
      from generate_series(1, cardinality($1::bigint[]), 12) as i
     where l.book = ($1[i] & 65535)::int and l.account_id = $1[i] and l.lot_id = $1[i + 1]
  )
  insert into ledger.holds (book, number, account_id, partner_id, store_id, contract_id, authorized,
                            expires_at_us, reviewed, state, captured, refunded, lot_ids, lot_held,
                            lot_captured, lot_refunded)
  select ($2[i + 1] & 65535)::int, $2[i], $2[i + 1], $2[i + 2], $2[i + 3], $2[i + 4], $2[i + 5],
         $2[i + 6], $2[i + 7], $2[i + 8], $2[i + 9], $2[i + 10], $3[p : p + n - 1], $3[p + n : p + 2 * n - 1],
         $3[p + 2 * n : p + 3 * n - 1], $3[p + 3 * n : p + 4 * n - 1]
    from (select i, $2[i + 11]::int as p, $2[i + 12]::int as n
            from generate_series(1, cardinality($2::bigint[]), 13) as i
           where $3::bigint[] is not null) as h
      on conflict (book, number) do update
     set state = excluded.state, captured = excluded.captured, refunded = excluded.refunded,
         lot_held = excluded.lot_held, lot_captured = excluded.lot_captured,
         lot_refunded = excluded.lot_refunded
)sql"};

constexpr Statement kInsertForwards{"ledger.insert_forwards", R"sql(
  insert into ledger.forwards (book, account_id, into_account)
  select (account_id & 65535)::int, account_id, into_account
    from unnest($1::bigint[], $2::bigint[]) as w (account_id, into_account)
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
         lot.reversed == Points(0) && lot.expired == Points(0) && lot.debt == Points(0) &&
         lot.moved == Points(0);
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
  params
      .IntRows(
          r, &Record::number, [](const Record& record) { return OrNull(record.refers_to); },
          &Record::account, &Record::partner, &Record::kind,
          [](const Record& record) { return record.restored_until.value_or(Timestamp()); },
          [](const Record& record) { return record.active_until.value_or(Timestamp()); })
      .UuidArray(r, &Record::request_id)
      .BytesArray(r, &Record::fingerprint)
      .BytesArray(r, &Record::content)
      .BytesArray(r, &Record::response)
      .BytesArray(batch.leaves)
      .UuidArray(r, &Record::natural_key);
}

void AddEntries(const std::vector<EntryRow>& entries, Params& params) {
  params.IntRows(
      entries, [](const EntryRow& row) { return row.record->number; }, &EntryRow::line,
      [](const EntryRow& row) { return row.entry->debit.account; },
      [](const EntryRow& row) { return row.entry->debit.bucket; },
      [](const EntryRow& row) { return OrNull(row.entry->debit.lot); },
      [](const EntryRow& row) { return row.entry->credit.account; },
      [](const EntryRow& row) { return row.entry->credit.bucket; },
      [](const EntryRow& row) { return OrNull(row.entry->credit.lot); },
      [](const EntryRow& row) { return OrNull(row.entry->contract); },
      [](const EntryRow& row) { return row.entry->points; });
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

void AddSums(const Rows& rows, Params& params) {
  using Control = std::pair<const AccountId, Points>;
  params.IntRows(rows.control_accounts, &Control::first, &Control::second);
  using Position = std::pair<const PositionKey, Points>;
  params.IntRows(
      rows.positions, [](const Position& row) { return std::get<BookId>(row.first); },
      [](const Position& row) { return std::get<ContractId>(row.first); },
      [](const Position& row) { return std::get<Movement>(row.first); }, &Position::second);
}

void AddAccounts(const std::vector<const AccountEntry*>& accounts, Params& params) {
  std::vector<const AccountState*> states;
  for (const AccountEntry* entry : accounts) states.push_back(&entry->state);
  params.IntRows(states, &AccountState::id, &AccountState::status, &AccountState::pending,
                 &AccountState::available, &AccountState::held, &AccountState::debt,
                 &AccountState::next_due_at, &AccountState::first_open_lot,
                 &AccountState::active_until);
}

// The lists of partners that lots name; "{3,8}".
std::vector<std::string> ListsOf(const std::vector<LotRow>& lots) {
  std::vector<std::string> lists;
  for (const LotRow& row : lots) {
    const Restriction& restriction = row.lot->restricted_to;
    if (restriction.where() != kOnlyListed) continue;
    std::string list = "{";
    for (const PartnerId partner : restriction.listed()) {
      absl::StrAppend(&list, list.size() == 1 ? "" : ",", partner.value());
    }
    lists.push_back(list + "}");
  }
  return lists;
}

void AddNewLots(const std::vector<LotRow>& lots, Params& params) {
  int64_t next_list = kOnlyListed.value();
  params.IntRows(
      lots, &LotRow::account, [](const LotRow& row) { return row.lot->id; },
      [](const LotRow& row) { return row.lot->issuer; },
      [](const LotRow& row) { return row.lot->contract; },
      [](const LotRow& row) { return row.lot->issued; },
      [](const LotRow& row) { return row.lot->activates_at; },
      [](const LotRow& row) { return row.lot->expires_at; },
      [](const LotRow& row) { return row.lot->on_due; },
      [](const LotRow& row) { return row.lot->state; },
      [](const LotRow& row) { return row.lot->origin.account; },
      [](const LotRow& row) { return row.lot->origin.lot; },
      [&](const LotRow& row) {
        const PartnerId where = row.lot->restricted_to.where();
        return where == kOnlyListed ? next_list-- : where.value();
      },
      [](const LotRow& row) { return row.lot->lives_by_activity ? 1 : 0; });
}

void AddChangedLots(const std::vector<LotRow>& lots, Params& params) {
  params.IntRows(
      lots, &LotRow::account, [](const LotRow& row) { return row.lot->id; },
      [](const LotRow& row) { return row.lot->state; },
      [](const LotRow& row) { return row.lot->remaining; },
      [](const LotRow& row) { return row.lot->held; },
      [](const LotRow& row) { return row.lot->redeemed; },
      [](const LotRow& row) { return row.lot->reversed; },
      [](const LotRow& row) { return row.lot->expired; },
      [](const LotRow& row) { return row.lot->debt; },
      [](const LotRow& row) { return row.lot->moved; },
      [](const LotRow& row) { return row.lot->restored_until; },
      [](const LotRow& row) { return row.lot->forfeited; });
}

void InsertForwards(postgres::Transaction& tx, const std::vector<Forward>& forwards) {
  tx.Execute(kInsertForwards,
             Params().IntArray(forwards, &Forward::account).IntArray(forwards, &Forward::into));
}

void AddBooks(const std::vector<const BookState*>& books, Params& params) {
  params
      .IntRows(
          books, &BookState::id, [](const BookState* book) { return book->frontier.size(); },
          &BookState::last_serial)
      .BytesArray(books, [](const BookState* book) { return book->frontier.ToBytes(); });
}

void AddAllowances(const std::map<Allowances::Key, Points>& allowances, Params& params) {
  using Change = std::pair<const Allowances::Key, Points>;
  params.IntRows(
      allowances, [](const Change& change) { return change.first.first; },
      [](const Change& change) { return change.first.second; }, &Change::second);
}

// Holds, and the parts of all of them: a figure of each part of a hold, then the next figure.
void AddHolds(const std::vector<HoldRow>& holds, Params& params) {
  std::vector<int64_t> parts;
  std::vector<int64_t> begins;
  for (const HoldRow& row : holds) {
    begins.push_back(static_cast<int64_t>(parts.size()) + 1);
    const auto add = [&](auto HoldPart::*figure) {
      for (const HoldPart& part : row.hold->parts) parts.push_back((part.*figure).value());
    };
    add(&HoldPart::lot);
    add(&HoldPart::held);
    add(&HoldPart::captured);
    add(&HoldPart::refunded);
  }
  size_t next = 0;
  params
      .IntRows(
          holds, [](const HoldRow& row) { return row.hold->number; }, &HoldRow::account,
          [](const HoldRow& row) { return row.hold->partner; },
          [](const HoldRow& row) { return row.hold->store; },
          [](const HoldRow& row) { return row.hold->contract; },
          [](const HoldRow& row) { return row.hold->authorized; },
          [](const HoldRow& row) { return row.hold->expires_at; },
          [](const HoldRow& row) { return row.hold->reviewed; },
          [](const HoldRow& row) { return row.hold->state; },
          [](const HoldRow& row) { return row.hold->captured(); },
          [](const HoldRow& row) { return row.hold->refunded(); },
          [&](const HoldRow&) { return begins[next++]; },
          [](const HoldRow& row) { return row.hold->parts.size(); })
      .IntArray(parts);
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
  if (!batch.forwards.empty()) InsertForwards(tx, batch.forwards);
  SpareAccounts(tx, batch);
  Params params(form);
  params.Int(batch.posted_at)
      .Int(configuration.version())
      .Int(configuration.calendar().WindowStart(batch.posted_at));
  AddJournal(batch, params);
  AddEntries(rows.entries, params);
  AddClaims(rows.claims, params);
  AddSums(rows, params);
  AddAccounts(rows.changed_accounts, params);
  AddNewLots(rows.new_lots, params);
  AddAllowances(allowance_changes, params);
  AddBooks(rows.books, params);
  params.TextArray(ListsOf(rows.new_lots));
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
