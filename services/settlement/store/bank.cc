#include "services/settlement/store/bank.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"

namespace guilder::settlement {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

#define GUILDER_BANK_FILE_COLUMNS_                                               \
  "file_id, kind, message_id, digest, request_id, imported_by, imported_at_us, " \
  "original_message_id from settlement.bank_files "

constexpr Statement kFindFileByDigest{"bank.find_file_by_digest",
                                      "select " GUILDER_BANK_FILE_COLUMNS_ R"sql(
   where digest = $1
)sql"};

constexpr Statement kFindFileByRequest{"bank.find_file_by_request",
                                       "select " GUILDER_BANK_FILE_COLUMNS_ R"sql(
   where request_id = $1
)sql"};

#undef GUILDER_BANK_FILE_COLUMNS_

constexpr Statement kInsertFile{"bank.insert_file", R"sql(
  insert into settlement.bank_files (kind, message_id, digest, request_id, imported_by, imported_at_us,
                                     original_message_id)
  values ($1, $2, $3, $4, $5, $6, $7)
  returning file_id
)sql"};

// What is known already, or stands earlier in the file, is a duplicate.
constexpr Statement kInsertEntries{"bank.insert_entries", R"sql(
  insert into settlement.bank_entries
         (file_id, account, bank_reference, booking_date, credit, currency, amount, end_to_end_id,
          counterparty_name, counterparty_account, remittance, return_reason, identity, outcome)
  select $1, e.account, e.bank_reference, e.booking_date, e.credit, e.currency, e.amount,
         e.end_to_end_id, e.counterparty_name, e.counterparty_account, e.remittance,
         e.return_reason, e.identity,
         case when e.same > 1
                   or exists (select from settlement.bank_entries b
                               where b.identity = e.identity and b.outcome <> 'DUPLICATE')
              then 'DUPLICATE' else e.outcome end
    from (select u.*, row_number() over (partition by u.identity order by u.place) as same
            from unnest($2::text[], $3::text[], $4::text[], $5::bool[], $6::text[], $7::bigint[],
                        $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                        $13::bytea[], $14::text[]) with ordinality
                 as u (account, bank_reference, booking_date, credit, currency, amount,
                       end_to_end_id, counterparty_name, counterparty_account, remittance,
                       return_reason, identity, outcome, place)) e
   order by e.place
)sql"};

#define GUILDER_BANK_ENTRY_COLUMNS_                                                      \
  "entry_id, file_id, account, bank_reference, booking_date, credit, currency, amount, " \
  "end_to_end_id, counterparty_name, counterparty_account, remittance, return_reason, "  \
  "outcome, settlement_id, partner_id, applied, suspense from settlement.bank_entries "

constexpr Statement kReadPending{"bank.read_pending", "select " GUILDER_BANK_ENTRY_COLUMNS_ R"sql(
   where file_id = $1
     and outcome = 'PENDING'
   order by entry_id
   limit $2
)sql"};

constexpr Statement kLockEntry{"bank.lock_entry", "select " GUILDER_BANK_ENTRY_COLUMNS_ R"sql(
   where entry_id = $1
     for update
)sql"};

constexpr Statement kListEntries{"bank.list_entries", "select " GUILDER_BANK_ENTRY_COLUMNS_ R"sql(
   where entry_id > $1
     and ($2::bigint is null or file_id = $2)
     and (not $3 or suspense > 0)
   order by entry_id
   limit $4
)sql"};

#undef GUILDER_BANK_ENTRY_COLUMNS_

constexpr Statement kUpdateEntry{"bank.update_entry", R"sql(
  update settlement.bank_entries
     set outcome = $2, settlement_id = $3, partner_id = $4, applied = $5, suspense = $6
   where entry_id = $1
)sql"};

constexpr Statement kCountOutcomes{"bank.count_outcomes", R"sql(
  select outcome, count(*) from settlement.bank_entries where file_id = $1 group by outcome
)sql"};

constexpr Statement kFindInvoiced{"bank.find_invoiced", R"sql(
  select distinct settlement_id, partner_id
    from settlement.invoices
   where invoice_number = any($1::text[])
)sql"};

constexpr Statement kReadPaymentFile{"bank.read_payment_file", R"sql(
  select content from settlement.payment_files where settlement_id = $1 and number = $2
)sql"};

constexpr Statement kFindAllocation{"bank.find_allocation", R"sql(
  select request_id, entry_id, settlement_id, partner_id, amount, allocated_by, allocated_at_us,
         against_entry_id
    from settlement.allocations
   where request_id = $1
)sql"};

constexpr Statement kInsertAllocation{"bank.insert_allocation", R"sql(
  insert into settlement.allocations
         (request_id, entry_id, settlement_id, partner_id, amount, allocated_by, allocated_at_us,
          against_entry_id)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
)sql"};

constexpr Statement kSumSuspense{"bank.sum_suspense", R"sql(
  select coalesce(sum(suspense), 0)::bigint
    from settlement.bank_entries
   where settlement_id = $1
     and partner_id = $2
     and credit = $3
     and suspense > 0
)sql"};

// Each gives what those before it leave.
constexpr Statement kTakeSuspense{"bank.take_suspense", R"sql(
  with taken as (
    select entry_id, least(suspense, greatest($4 - before, 0)) as amount
      from (select entry_id, suspense,
                   coalesce(sum(suspense) over (order by entry_id
                                                rows between unbounded preceding and 1 preceding),
                            0) as before
              from settlement.bank_entries
             where settlement_id = $1
               and partner_id = $2
               and credit = $3
               and suspense > 0) e
     where before < $4
  ), changed as (
    update settlement.bank_entries e
       set suspense = e.suspense - t.amount
      from taken t
     where e.entry_id = t.entry_id
  )
  insert into settlement.allocations
         (request_id, entry_id, amount, allocated_by, allocated_at_us, against_entry_id)
  select gen_random_uuid(), entry_id, amount, $6, $7, $5
    from taken
)sql"};

constexpr Statement kFindWriteOff{"bank.find_write_off", R"sql(
  select settlement_id, partner_id, amount, note, proposed_by, proposed_at_us, approved_by,
         approved_at_us
    from settlement.write_offs
   where settlement_id = $1
     and partner_id = $2
)sql"};

constexpr Statement kStoreWriteOff{"bank.store_write_off", R"sql(
  insert into settlement.write_offs
         (settlement_id, partner_id, amount, note, proposed_by, proposed_at_us, approved_by,
          approved_at_us)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
      on conflict (settlement_id, partner_id)
      do update set amount = excluded.amount, note = excluded.note,
                    proposed_by = excluded.proposed_by, proposed_at_us = excluded.proposed_at_us,
                    approved_by = excluded.approved_by, approved_at_us = excluded.approved_at_us
)sql"};

constexpr Statement kDeleteWriteOff{"bank.delete_write_off", R"sql(
  delete from settlement.write_offs
   where settlement_id = $1
     and partner_id = $2
     and approved_by = ''
)sql"};

constexpr Statement kReadAgeing{"bank.read_ageing", R"sql(
  select o.partner_id, o.slug, o.currency,
         sum(case when o.days < 1 then o.unpaid else 0 end)::bigint,
         sum(case when o.days between 1 and 30 then o.unpaid else 0 end)::bigint,
         sum(case when o.days between 31 and 60 then o.unpaid else 0 end)::bigint,
         sum(case when o.days between 61 and 90 then o.unpaid else 0 end)::bigint,
         sum(case when o.days > 90 then o.unpaid else 0 end)::bigint,
         min(o.due_at_us), sum(o.disputed)::bigint
    from (select o.partner_id, p.slug, s.currency,
                 o.amount - o.paid - o.written_off
                   - least(o.disputed, o.amount - o.paid - o.written_off) as unpaid,
                 least(o.disputed, o.amount - o.paid - o.written_off) as disputed, o.due_at_us, ceil(($1 - o.due_at_us) / 86400000000.0) as days
            from settlement.obligations o
            join settlement.settlements s using (settlement_id)
            join partner.partners p using (partner_id)
           where not o.partner_is_paid
             and o.amount > o.paid + o.written_off) o
   group by o.partner_id, o.slug, o.currency
   order by o.slug, o.currency
)sql"};

std::string_view KindName(BankFileKind kind) {
  return kind == BankFileKind::kStatement ? "STATEMENT" : "STATUS_REPORT";
}

std::optional<StoredBankFile> OneFile(const Rows& rows) {
  if (rows.empty()) return std::nullopt;
  const Row row = rows[0];
  StoredBankFile file;
  file.id = row.Id<BankFileId>(0);
  file.kind = row.Text(1) == KindName(BankFileKind::kStatement) ? BankFileKind::kStatement
                                                                : BankFileKind::kStatusReport;
  file.message_id = row.Text(2);
  file.digest = row.Digest(3);
  file.request_id = row.Uuid(4);
  file.imported_by = row.Text(5);
  file.imported_at = row.Id<Timestamp>(6);
  file.original_message_id = row.Text(7);
  return file;
}

BankEntry EntryFromRow(const Row& row) {
  BankEntry entry;
  entry.id = row.Id<BankEntryId>(0);
  entry.file = row.Id<BankFileId>(1);
  BankPayment& payment = entry.payment;
  payment.account = row.Text(2);
  payment.bank_reference = row.Text(3);
  payment.booking_date = row.Text(4);
  payment.credit = row.Bool(5);
  payment.currency = ParseCurrency(row.Text(6)).value();
  payment.amount = row.Id<MinorUnits>(7);
  payment.end_to_end_id = row.Text(8);
  payment.counterparty_name = row.Text(9);
  payment.counterparty_account = row.Text(10);
  payment.remittance = row.Text(11);
  payment.return_reason = row.Text(12);
  payment.outcome = BankOutcomeFromName(row.Text(13)).value();
  if (!row.IsNull(14)) {
    entry.obligation = ObligationKey{row.Id<SettlementId>(14), row.Id<PartnerId>(15)};
  }
  entry.applied = row.Id<MinorUnits>(16);
  entry.suspense = row.Id<MinorUnits>(17);
  return entry;
}

std::vector<BankEntry> EntriesFromRows(const Rows& rows) {
  std::vector<BankEntry> entries;
  for (const Row& row : rows) entries.push_back(EntryFromRow(row));
  return entries;
}

}  // namespace

std::optional<StoredBankFile> FindBankFile(Transaction& transaction, const Digest& digest) {
  return OneFile(transaction.Execute(kFindFileByDigest, Params().Bytes(digest)));
}

std::optional<StoredBankFile> FindBankFile(Transaction& transaction, const Uuid& request_id) {
  return OneFile(transaction.Execute(kFindFileByRequest, Params().Uuid(request_id)));
}

BankFileId InsertBankFile(Transaction& transaction, const StoredBankFile& file,
                          const std::vector<BankPayment>& payments) {
  const Rows inserted = transaction.Execute(kInsertFile, Params()
                                                             .Text(KindName(file.kind))
                                                             .Text(file.message_id)
                                                             .Bytes(file.digest)
                                                             .Uuid(file.request_id)
                                                             .Text(file.imported_by)
                                                             .Int(file.imported_at)
                                                             .Text(file.original_message_id));
  const auto id = inserted[0].Id<BankFileId>(0);
  transaction.Execute(
      kInsertEntries,
      Params()
          .Int(id)
          .TextArray(payments, &BankPayment::account)
          .TextArray(payments, &BankPayment::bank_reference)
          .TextArray(payments, &BankPayment::booking_date)
          .BoolArray(payments, &BankPayment::credit)
          .TextArray(payments, [](const BankPayment& p) { return FormatCurrency(p.currency); })
          .IntArray(payments, &BankPayment::amount)
          .TextArray(payments, &BankPayment::end_to_end_id)
          .TextArray(payments, &BankPayment::counterparty_name)
          .TextArray(payments, &BankPayment::counterparty_account)
          .TextArray(payments, &BankPayment::remittance)
          .TextArray(payments, &BankPayment::return_reason)
          .BytesArray(payments, &BankPayment::identity)
          .TextArray(payments, [](const BankPayment& p) { return BankOutcomeName(p.outcome); }));
  return id;
}

std::vector<BankEntry> ReadPending(Transaction& transaction, BankFileId file, int limit) {
  return EntriesFromRows(transaction.Execute(kReadPending, Params().Int(file).Int(limit)));
}

void UpdateBankEntry(Transaction& transaction, const BankEntry& entry) {
  std::optional<SettlementId> settlement;
  std::optional<PartnerId> partner;
  if (entry.obligation) {
    settlement = entry.obligation->settlement;
    partner = entry.obligation->partner;
  }
  transaction.Execute(kUpdateEntry, Params()
                                        .Int(entry.id)
                                        .Text(BankOutcomeName(entry.payment.outcome))
                                        .Int(settlement)
                                        .Int(partner)
                                        .Int(entry.applied)
                                        .Int(entry.suspense));
}

absl::StatusOr<BankEntry> LockBankEntry(Transaction& transaction, BankEntryId id) {
  const Rows rows = transaction.Execute(kLockEntry, Params().Int(id));
  if (rows.empty()) return Refuse(Reason::kNameNotFound, "no such bank entry");
  return EntryFromRow(rows[0]);
}

std::vector<BankEntry> ListBankEntries(Transaction& transaction, const BankEntryFilter& filter,
                                       BankEntryId after, int limit) {
  return EntriesFromRows(transaction.Execute(
      kListEntries, Params().Int(after).Int(filter.file).Bool(filter.in_suspense).Int(limit)));
}

std::map<BankOutcome, int64_t> CountOutcomes(Transaction& transaction, BankFileId file) {
  std::map<BankOutcome, int64_t> counts;
  for (const Row& row : transaction.Execute(kCountOutcomes, Params().Int(file))) {
    counts[BankOutcomeFromName(row.Text(0)).value()] = row.Int(1);
  }
  return counts;
}

std::vector<ObligationKey> FindInvoiced(Transaction& transaction,
                                        const std::vector<std::string>& numbers) {
  std::vector<ObligationKey> keys;
  for (const Row& row : transaction.Execute(kFindInvoiced, Params().TextArray(numbers))) {
    keys.push_back({row.Id<SettlementId>(0), row.Id<PartnerId>(1)});
  }
  return keys;
}

MinorUnits SuspenseOf(Transaction& transaction, const ObligationKey& obligation, bool credit) {
  return transaction
      .Execute(kSumSuspense,
               Params().Int(obligation.settlement).Int(obligation.partner).Bool(credit))[0]
      .Id<MinorUnits>(0);
}

std::optional<std::string> FindPaymentFileOf(Transaction& transaction,
                                             const std::string& message_id) {
  const std::optional<PaymentFileKey> file = FileOfMessage(message_id);
  if (!file) return std::nullopt;
  const Rows rows =
      transaction.Execute(kReadPaymentFile, Params().Int(file->settlement).Int(file->number));
  if (rows.empty()) return std::nullopt;
  return rows[0].Bytes(0);
}

std::optional<Allocation> FindAllocation(Transaction& transaction, const Uuid& request_id) {
  const Rows rows = transaction.Execute(kFindAllocation, Params().Uuid(request_id));
  if (rows.empty()) return std::nullopt;
  const Row row = rows[0];
  Allocation allocation;
  allocation.request_id = row.Uuid(0);
  allocation.entry = row.Id<BankEntryId>(1);
  if (!row.IsNull(2)) {
    allocation.obligation = ObligationKey{row.Id<SettlementId>(2), row.Id<PartnerId>(3)};
  }
  allocation.amount = row.Id<MinorUnits>(4);
  allocation.allocated_by = row.Text(5);
  allocation.allocated_at = row.Id<Timestamp>(6);
  allocation.against = row.OptionalId<BankEntryId>(7);
  return allocation;
}

void InsertAllocation(Transaction& transaction, const Allocation& allocation) {
  std::optional<SettlementId> settlement;
  std::optional<PartnerId> partner;
  if (allocation.obligation) {
    settlement = allocation.obligation->settlement;
    partner = allocation.obligation->partner;
  }
  transaction.Execute(kInsertAllocation, Params()
                                             .Uuid(allocation.request_id)
                                             .Int(allocation.entry)
                                             .Int(settlement)
                                             .Int(partner)
                                             .Int(allocation.amount)
                                             .Text(allocation.allocated_by)
                                             .Int(allocation.allocated_at)
                                             .Int(allocation.against));
}

void TakeOutOfSuspense(Transaction& transaction, const ObligationKey& obligation,
                       const BankEntry& against, MinorUnits amount, const std::string& by,
                       Timestamp at) {
  transaction.Execute(kTakeSuspense, Params()
                                         .Int(obligation.settlement)
                                         .Int(obligation.partner)
                                         .Bool(!against.payment.credit)
                                         .Int(amount)
                                         .Int(against.id)
                                         .Text(by)
                                         .Int(at));
}

std::optional<StoredWriteOff> FindWriteOff(Transaction& transaction,
                                           const ObligationKey& obligation) {
  const Rows rows = transaction.Execute(
      kFindWriteOff, Params().Int(obligation.settlement).Int(obligation.partner));
  if (rows.empty()) return std::nullopt;
  const Row row = rows[0];
  return StoredWriteOff{{row.Id<SettlementId>(0), row.Id<PartnerId>(1)},
                        row.Id<MinorUnits>(2),
                        std::string(row.Text(3)),
                        std::string(row.Text(4)),
                        row.Id<Timestamp>(5),
                        std::string(row.Text(6)),
                        row.OptionalId<Timestamp>(7)};
}

void DeleteWriteOff(Transaction& transaction, const ObligationKey& obligation) {
  transaction.Execute(kDeleteWriteOff, Params().Int(obligation.settlement).Int(obligation.partner));
}

void StoreWriteOff(Transaction& transaction, const StoredWriteOff& write_off) {
  transaction.Execute(kStoreWriteOff, Params()
                                          .Int(write_off.obligation.settlement)
                                          .Int(write_off.obligation.partner)
                                          .Int(write_off.amount)
                                          .Text(write_off.note)
                                          .Text(write_off.proposed_by)
                                          .Int(write_off.proposed_at)
                                          .Text(write_off.approved_by)
                                          .Int(write_off.approved_at));
}

std::vector<AgeingRow> ReadAgeing(Transaction& transaction, Timestamp now) {
  std::vector<AgeingRow> ageing;
  for (const Row& row : transaction.Execute(kReadAgeing, Params().Int(now))) {
    ageing.push_back({row.Id<PartnerId>(0), std::string(row.Text(1)),
                      ParseCurrency(row.Text(2)).value(), row.Id<MinorUnits>(3),
                      row.Id<MinorUnits>(4), row.Id<MinorUnits>(5), row.Id<MinorUnits>(6),
                      row.Id<MinorUnits>(7), row.Id<Timestamp>(8), row.Id<MinorUnits>(9)});
  }
  return ageing;
}

}  // namespace guilder::settlement
