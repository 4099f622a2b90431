#include "libs/ledger/store/journal.h"

#include <algorithm>
#include <utility>

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kReadJournal{"journal.read", R"sql(
  select number, posted_at_us, coalesce(refers_to, 0), account_id, partner_id, config_version, kind,
         request_id, fingerprint, content, response, leaf
    from ledger.journal
   where book = $1
     and number > $2
     and number <= $3
   order by number, posted_at_us
)sql"};

constexpr Statement kReadEntries{"journal.read_entries", R"sql(
  select number, posted_at_us, debit_account, debit_bucket, coalesce(debit_lot, 0), credit_account,
         credit_bucket, coalesce(credit_lot, 0), points, coalesce(contract_id, 0)
    from ledger.entries
   where book = $1
     and number > $2
     and number <= $3
   order by number, posted_at_us, line
)sql"};

// A record that creates a lot issues points into it, and so names it. `offset 0` keeps the planner
// at one look at the lots' key for each of them, however many lots there are.
constexpr Statement kReadTerms{"journal.read_terms", R"sql(
  select e.number, e.posted_at_us, l.lot_id, l.issuer_id, l.contract_id, l.issued, l.activates_at_us,
         l.expires_at_us, l.on_due
    from ledger.entries e
   cross join lateral (select lot_id, issuer_id, contract_id, issued, activates_at_us, expires_at_us,
                              on_due
                         from ledger.lots
                        where book = e.book
                          and account_id = e.credit_account
                          and lot_id = e.credit_lot
                       offset 0) l
   where e.book = $1
     and e.number > $2
     and e.number <= $3
     and e.debit_bucket = $4
   order by e.number, e.posted_at_us, l.lot_id
)sql"};

StoredRecord ToRecord(BookId book, const Row& row) {
  StoredRecord stored;
  Record& record = stored.record;
  record.book = book;
  record.number = row.Id<RecordNumber>(0);
  record.posted_at = row.Id<Timestamp>(1);
  record.refers_to = row.Id<RecordNumber>(2);
  record.account = row.Id<AccountId>(3);
  record.partner = row.Id<PartnerId>(4);
  record.config_version = row.Int(5);
  record.kind = row.Enum<RecordKind>(6);
  record.request_id = row.Uuid(7);
  record.fingerprint = row.Digest(8);
  record.content = row.Bytes(9);
  record.response = row.Bytes(10);
  stored.leaf = row.Digest(11);
  return stored;
}

Side ToSide(const Row& row, int first_column) {
  return {row.Id<AccountId>(first_column), row.Enum<Bucket>(first_column + 1),
          row.Id<LotId>(first_column + 2)};
}

Lot ToTerms(const Row& row) {
  Lot lot;
  lot.id = row.Id<LotId>(2);
  lot.issuer = row.Id<PartnerId>(3);
  lot.contract = row.Id<ContractId>(4);
  lot.issued = row.Id<Points>(5);
  lot.activates_at = row.Id<Timestamp>(6);
  lot.expires_at = row.Id<Timestamp>(7);
  lot.on_due = row.Enum<OnDue>(8);
  lot.remaining = lot.issued;
  return lot;
}

// Finds the records that rows belong to; both are in the order of number and posted time.
class Cursor {
 public:
  explicit Cursor(std::vector<StoredRecord>& records) : at_(records.begin()), end_(records.end()) {}

  // The record of that number and time, or null.
  Record* Find(RecordNumber number, Timestamp posted_at) {
    const auto wanted = std::pair(number, posted_at);
    while (at_ != end_ && std::pair(at_->record.number, at_->record.posted_at) < wanted) ++at_;
    if (at_ == end_ || std::pair(at_->record.number, at_->record.posted_at) != wanted) {
      return nullptr;
    }
    return &at_->record;
  }

 private:
  std::vector<StoredRecord>::iterator at_;
  std::vector<StoredRecord>::iterator end_;
};

}  // namespace

JournalRange ReadRecords(Transaction& transaction, BookId book, RecordNumber after,
                         RecordNumber until) {
  JournalRange range;
  const auto range_of_book = [&] { return Params().Int(book).Int(after).Int(until); };

  const postgres::Rows journal = transaction.Execute(kReadJournal, range_of_book());
  range.records.reserve(static_cast<size_t>(journal.size()));
  for (const Row& row : journal) range.records.push_back(ToRecord(book, row));

  Cursor of_entry(range.records);
  for (const Row& row : transaction.Execute(kReadEntries, range_of_book())) {
    Record* const record = of_entry.Find(row.Id<RecordNumber>(0), row.Id<Timestamp>(1));
    if (record == nullptr) {
      range.stray_entries.push_back(row.Id<RecordNumber>(0));
      continue;
    }
    record->entries.push_back(
        {ToSide(row, 2), ToSide(row, 5), row.Id<Points>(8), row.Id<ContractId>(9)});
  }

  Cursor of_lot(range.records);
  for (const Row& row : transaction.Execute(kReadTerms, range_of_book().Int(Bucket::kIssued))) {
    Record* const record = of_lot.Find(row.Id<RecordNumber>(0), row.Id<Timestamp>(1));
    if (record != nullptr) record->new_lots.push_back(ToTerms(row));
  }
  return range;
}

}  // namespace guilder::ledger
