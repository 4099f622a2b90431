#include "libs/ledger/store/journal.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "libs/ledger/store/account_rows.h"

namespace guilder::ledger {
namespace {

using postgres::PackedRow;
using postgres::Params;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kReadJournal{"journal.read", R"sql(
  select row(number, posted_at_us, refers_to, account_id, partner_id, config_version, kind,
             request_id, fingerprint, content, response, leaf, natural_key, restored_until_us,
             active_until_us)
    from ledger.journal
   where book = $1
     and number > $2
     and number <= $3
   order by number, posted_at_us
)sql"};

// With the terms of the lots that they create: a record that creates a lot issues points into it,
// or receives them, or a debt, from another account, or back from being expired, and so names it.
// `offset 0` keeps the planner at one look at the lots' key for each of them, however many lots
// there are.
constexpr Statement kReadEntries{"journal.read_entries", R"sql(
  select row(e.number, e.posted_at_us, e.line, e.debit_account, e.debit_bucket, e.debit_lot,
             e.credit_account, e.credit_bucket, e.credit_lot, e.points, e.contract_id,
             l.issuer_id, l.contract_id, l.issued, l.activates_at_us, l.expires_at_us, l.on_due,
             l.lot_id, l.origin_account, l.origin_lot, l.restricted_to,
             l.restricted_partners::bigint[], l.lives_by_activity)
    from ledger.entries e
    left join lateral (select issuer_id, contract_id, issued, activates_at_us, expires_at_us, on_due,
                              lot_id, origin_account, origin_lot, restricted_to,
                              restricted_partners, lives_by_activity
                         from ledger.lots
                        where (e.debit_bucket = $4
                               or (e.debit_bucket in ($5, $6) and e.credit_lot / 1024 = e.number))
                          and book = e.book
                          and account_id = e.credit_account
                          and lot_id = e.credit_lot
                       union all
                       select issuer_id, contract_id, issued, activates_at_us, expires_at_us, on_due,
                              lot_id, origin_account, origin_lot, restricted_to,
                              restricted_partners, lives_by_activity
                         from ledger.lots
                        where e.credit_bucket = $6
                          and e.debit_bucket = $7
                          and e.debit_lot / 1024 = e.number
                          and book = e.book
                          and account_id = e.debit_account
                          and lot_id = e.debit_lot
                       offset 0) l on true
   where e.book = $1
     and e.number > $2
     and e.number <= $3
   order by e.number, e.line, e.posted_at_us
)sql"};

constexpr Statement kReadHoldTerms{"journal.read_hold_terms", R"sql(
  select row(number, partner_id, store_id, contract_id, authorized, expires_at_us, reviewed)
    from ledger.holds
   where book = $1
     and number > $2
     and number <= $3
   order by number
)sql"};

// None is stored as NULL. A zero in its place is something else, and must not look the same.
int64_t OrNone(std::optional<int64_t> value) {
  if (!value) return 0;
  return *value == 0 ? -1 : *value;
}

// Sets all fields of a record that may have been another one.
void ReadRecord(BookId book, PackedRow row, StoredRecord& stored) {
  Record& record = stored.record;
  record.book = book;
  record.number = row.Id<RecordNumber>();
  record.posted_at = row.Id<Timestamp>();
  record.refers_to = RecordNumber(OrNone(row.OptionalInt()));
  record.account = row.Id<AccountId>();
  record.partner = row.Id<PartnerId>();
  record.config_version = row.Int();
  record.kind = row.Enum<RecordKind>();
  record.request_id = row.Uuid();
  // A digest of another length is none that a lane wrote.
  const std::string_view fingerprint = row.Bytes();
  record.fingerprint = {};
  if (fingerprint.size() == record.fingerprint.size()) {
    std::copy(fingerprint.begin(), fingerprint.end(), record.fingerprint.begin());
  }
  record.content = row.Bytes();
  record.response = row.Bytes();
  const std::string_view leaf = row.Bytes();
  stored.leaf = {};
  if (leaf.size() == stored.leaf.size()) std::copy(leaf.begin(), leaf.end(), stored.leaf.begin());
  record.natural_key = row.OptionalUuid();
  const std::optional<int64_t> restored_until = row.OptionalInt();
  record.restored_until.reset();
  if (restored_until) record.restored_until = Timestamp(*restored_until);
  const std::optional<int64_t> active_until = row.OptionalInt();
  record.active_until.reset();
  if (active_until) record.active_until = Timestamp(*active_until);
  record.entries.clear();
  record.new_lots.clear();
  record.new_hold.reset();
}

Side ToSide(PackedRow& row) {
  const auto account = row.Id<AccountId>();
  const auto bucket = row.Enum<Bucket>();
  return {account, bucket, LotId(OrNone(row.OptionalInt()))};
}

// The terms at the end of an entry's row; nothing where it creates no lot, or where the lot is
// gone.
std::optional<Lot> ToLotTerms(PackedRow& row) {
  const std::optional<int64_t> issuer = row.OptionalInt();
  if (!issuer) return std::nullopt;
  Lot lot;
  lot.issuer = PartnerId(static_cast<int32_t>(*issuer));
  lot.contract = row.Id<ContractId>();
  lot.issued = row.Id<Points>();
  lot.activates_at = row.Id<Timestamp>();
  lot.expires_at = row.Id<Timestamp>();
  lot.on_due = row.Enum<OnDue>();
  lot.id = row.Id<LotId>();
  lot.origin.account = AccountId(OrNone(row.OptionalInt()));
  lot.origin.lot = LotId(OrNone(row.OptionalInt()));
  lot.restricted_to = RestrictionOf(row);
  lot.lives_by_activity = row.Int() != 0;
  lot.remaining = lot.issued;
  return lot;
}

Hold ToHoldTerms(RecordNumber number, PackedRow& row) {
  Hold hold;
  hold.number = number;
  hold.partner = row.Id<PartnerId>();
  hold.store = row.Id<StoreId>();
  hold.contract = row.Id<ContractId>();
  hold.authorized = row.Id<Points>();
  hold.expires_at = row.Id<Timestamp>();
  hold.reviewed = row.Int() != 0;
  return hold;
}

// Finds the records that rows belong to; both are in the order of numbers.
class Cursor {
 public:
  explicit Cursor(std::vector<StoredRecord>& records) : at_(records.begin()), end_(records.end()) {}

  // The first record of that number, or null.
  Record* Find(RecordNumber number) {
    while (at_ != end_ && at_->record.number < number) ++at_;
    return at_ == end_ || at_->record.number != number ? nullptr : &at_->record;
  }

 private:
  std::vector<StoredRecord>::iterator at_;
  std::vector<StoredRecord>::iterator end_;
};

void AddEntry(PackedRow row, Cursor& cursor, JournalRange& range) {
  const auto number = row.Id<RecordNumber>();
  const auto posted_at = row.Id<Timestamp>();
  Record* const record = cursor.Find(number);
  const int64_t line = row.Int();
  if (record == nullptr || record->posted_at != posted_at ||
      line != static_cast<int64_t>(record->entries.size()) + 1) {
    range.stray_entries.push_back(number);
    return;
  }
  Entry entry;
  entry.debit = ToSide(row);
  entry.credit = ToSide(row);
  entry.points = row.Id<Points>();
  entry.contract = ContractId(static_cast<int32_t>(OrNone(row.OptionalInt())));
  record->entries.push_back(entry);
  if (std::optional<Lot> lot = ToLotTerms(row)) {
    record->new_lots.push_back(*std::move(lot));
  }
}

}  // namespace

JournalRange ReadRecords(Transaction& transaction, BookId book, RecordNumber after,
                         RecordNumber until) {
  JournalRange range;
  ReadRecords(transaction, book, after, until, range);
  return range;
}

void ReadRecords(Transaction& transaction, BookId book, RecordNumber after, RecordNumber until,
                 JournalRange& range) {
  const auto range_of_book = [&] { return Params().Int(book).Int(after).Int(until); };

  const postgres::PackedRows journal = transaction.ExecutePacked(kReadJournal, range_of_book());
  range.records.resize(static_cast<size_t>(journal.size()));
  range.stray_entries.clear();
  for (int i = 0; i < journal.size(); ++i) {
    ReadRecord(book, journal[i], range.records[static_cast<size_t>(i)]);
  }

  Cursor of_entry(range.records);
  for (const PackedRow row : transaction.ExecutePacked(kReadEntries, range_of_book()
                                                                         .Int(Bucket::kIssued)
                                                                         .Int(Bucket::kExpired)
                                                                         .Int(Bucket::kInTransit)
                                                                         .Int(Bucket::kDebt))) {
    AddEntry(row, of_entry, range);
  }
  Cursor of_hold(range.records);
  for (PackedRow row : transaction.ExecutePacked(kReadHoldTerms, range_of_book())) {
    const auto number = row.Id<RecordNumber>();
    Record* const record = of_hold.Find(number);
    if (record != nullptr) record->new_hold = ToHoldTerms(number, row);
  }
}

}  // namespace guilder::ledger
