#include "services/member/store/history.h"

#include <map>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

#define GUILDER_ENTRY_COLUMNS_                                                       \
  "e.number, e.line, e.posted_at_us, e.debit_account, e.debit_bucket, e.debit_lot, " \
  "e.credit_account, e.credit_bucket, e.credit_lot, e.points, e.contract_id"

// A record's entries concern its account alone, and the journal has the index.
constexpr Statement kReadEntries{"member.read_entries",
                                 "select " GUILDER_ENTRY_COLUMNS_ R"sql(, j.kind
    from ledger.journal j
    join ledger.entries e
      on e.book = j.book and e.number = j.number and e.posted_at_us = j.posted_at_us
   where j.book = $1 and j.account_id = $2 and j.number >= $3 and (e.number, e.line) > ($3, $4)
   order by e.number, e.line
   limit $5
)sql"};

constexpr Statement kReadRecords{"member.read_records", R"sql(
  select number, posted_at_us, kind, partner_id
    from ledger.journal
   where book = $1 and account_id = $2
   order by number desc
   limit $3
)sql"};

constexpr Statement kReadEntriesOfRecords{"member.read_entries_of_records",
                                          "select " GUILDER_ENTRY_COLUMNS_ R"sql(
    from unnest($2::bigint[], $3::bigint[]) as w (number, posted_at_us)
    join ledger.entries e
      on e.book = $1 and e.number = w.number and e.posted_at_us = w.posted_at_us
   order by e.number, e.line
)sql"};

#undef GUILDER_ENTRY_COLUMNS_

constexpr Statement kReadRefusals{"member.read_refusals", R"sql(
  select at_us, kind, partner_id, reason
    from ledger.refusals
   where book = $1 and account_id = $2
   order by at_us desc
   limit $3
)sql"};

constexpr Statement kReadParkedItems{"member.read_parked_items", R"sql(
  select created_at_us, partner_id, request_id, reason, resolved_at_us is not null
    from accrual.parked_items
   where account_id = $1
   order by created_at_us desc
   limit $2
)sql"};

ledger::Entry EntryFromRow(const Row& row) {
  ledger::Entry entry;
  entry.debit = {row.Id<AccountId>(3), row.Enum<ledger::Bucket>(4),
                 row.OptionalId<LotId>(5).value_or(LotId())};
  entry.credit = {row.Id<AccountId>(6), row.Enum<ledger::Bucket>(7),
                  row.OptionalId<LotId>(8).value_or(LotId())};
  entry.points = row.Id<Points>(9);
  entry.contract = row.OptionalId<ContractId>(10).value_or(ContractId());
  return entry;
}

Params OfAccount(AccountId account) {
  return Params().Int(ledger::BookOf(account)).Int(account);
}

}  // namespace

std::vector<EntryRow> ReadEntries(postgres::Transaction& transaction, AccountId account,
                                  const EntryPlace& after, int limit) {
  std::vector<EntryRow> entries;
  const postgres::Rows rows = transaction.Execute(
      kReadEntries, OfAccount(account).Int(after.number).Int(after.line).Int(limit));
  for (const Row row : rows) {
    entries.push_back({{row.Id<RecordNumber>(0), static_cast<int>(row.Int(1))},
                       row.Id<Timestamp>(2),
                       row.Enum<ledger::RecordKind>(11),
                       EntryFromRow(row)});
  }
  return entries;
}

std::vector<PostedRecord> ReadRecords(postgres::Transaction& transaction, AccountId account,
                                      int limit) {
  const BookId book = ledger::BookOf(account);
  std::vector<PostedRecord> records;
  std::map<RecordNumber, size_t> places;
  for (const Row row : transaction.Execute(kReadRecords, OfAccount(account).Int(limit))) {
    places[row.Id<RecordNumber>(0)] = records.size();
    records.push_back({book,
                       row.Id<RecordNumber>(0),
                       row.Id<Timestamp>(1),
                       row.Enum<ledger::RecordKind>(2),
                       row.Id<PartnerId>(3),
                       {}});
  }
  const postgres::Rows entries =
      transaction.Execute(kReadEntriesOfRecords, Params()
                                                     .Int(book)
                                                     .IntArray(records, &PostedRecord::number)
                                                     .IntArray(records, &PostedRecord::posted_at));
  for (const Row row : entries) {
    records[places.at(row.Id<RecordNumber>(0))].entries.push_back(EntryFromRow(row));
  }
  return records;
}

std::vector<Refusal> ReadRefusals(postgres::Transaction& transaction, AccountId account,
                                  int limit) {
  std::vector<Refusal> refusals;
  for (const Row row : transaction.Execute(kReadRefusals, OfAccount(account).Int(limit))) {
    refusals.push_back({row.Id<Timestamp>(0), row.Enum<ledger::RecordKind>(1), row.Id<PartnerId>(2),
                        std::string(row.Text(3))});
  }
  return refusals;
}

std::vector<ParkedItem> ReadParkedItems(postgres::Transaction& transaction, AccountId account,
                                        int limit) {
  std::vector<ParkedItem> items;
  for (const Row row : transaction.Execute(kReadParkedItems, Params().Int(account).Int(limit))) {
    items.push_back({row.Id<Timestamp>(0), row.Id<PartnerId>(1),
                     absl::StrCat("parkedItems/", row.Int(1), "-", FormatUuid(row.Uuid(2))),
                     std::string(row.Text(3)), row.Bool(4)});
  }
  return items;
}

}  // namespace guilder::member
