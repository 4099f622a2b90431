#include "services/settlement/store/reconciliations.h"

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/ledger/core/entry.h"
#include "libs/ledger/core/record.h"
#include "libs/postgres/connection.h"

namespace guilder::settlement {
namespace {

using ledger::Movement;
using ledger::RecordKind;
using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kFindClaimed{"reconciliation.find_claimed", R"sql(
  select claim_key, book, number from ledger.claims where claim_key = any($1::uuid[])
)sql"};

// Points by what the buckets mean (ledger::MovementOf): from issued, to issued, to redeemed, from
// redeemed.
constexpr Statement kReadOurs{"reconciliation.read_ours", R"sql(
  with page as (
    select j.book, j.number, j.posted_at_us, j.kind, j.refers_to
      from ledger.journal j
     where j.partner_id = $1
       and j.posted_at_us >= $2
       and j.posted_at_us < $3
       and j.kind in (1, 2, 3, 6, 8)
       and j.posted_at_us >= $4
       and (j.posted_at_us, j.book, j.number) > ($4, $5, $6)
     order by j.posted_at_us, j.book, j.number
     limit $7)
  select p.book, p.number, p.posted_at_us, p.kind, p.refers_to,
         coalesce(sum(e.points) filter (where e.debit_bucket = 1), 0)::bigint,
         coalesce(sum(e.points) filter (where e.credit_bucket = 1), 0)::bigint,
         coalesce(sum(e.points) filter (where e.credit_bucket = 2), 0)::bigint,
         coalesce(sum(e.points) filter (where e.debit_bucket = 2), 0)::bigint
    from page p
    left join ledger.entries e
      on e.book = p.book and e.number = p.number and e.posted_at_us = p.posted_at_us
   group by p.book, p.number, p.posted_at_us, p.kind, p.refers_to
   order by p.posted_at_us, p.book, p.number
)sql"};

constexpr Statement kReadOurTotals{"reconciliation.read_our_totals", R"sql(
  select p.movement, sum(p.points)::bigint
    from ledger.positions p
    join partner.contracts c using (contract_id)
   where c.partner_id = $1
     and p.window_start_us = $2
   group by p.movement
)sql"};

constexpr Statement kWasPosted{"reconciliation.was_posted", R"sql(
  select 1
    from ledger.journal
   where book = $1
     and number = $2
     and partner_id = $3
     and posted_at_us >= $4
)sql"};

constexpr Statement kLockPartner{"reconciliation.lock_partner", R"sql(
  select pg_advisory_xact_lock(hashtext('settlement.reconciliations'), $1)
)sql"};

#define GUILDER_RECONCILIATION_COLUMNS_                                                    \
  "reconciliation_id, partner_id, window_start_us, submitted_at_us, submitted_by, "        \
  "request_id, fingerprint, lines, matched, missing_here, missing_there, amount_differs, " \
  "duplicates, cleared from settlement.reconciliations "

constexpr Statement kFindByRequest{"reconciliation.find_by_request",
                                   "select " GUILDER_RECONCILIATION_COLUMNS_ R"sql(
   where partner_id = $1
     and request_id = $2
)sql"};

constexpr Statement kFind{"reconciliation.find", "select " GUILDER_RECONCILIATION_COLUMNS_ R"sql(
   where reconciliation_id = $1
)sql"};

#undef GUILDER_RECONCILIATION_COLUMNS_

constexpr Statement kInsert{"reconciliation.insert", R"sql(
  insert into settlement.reconciliations
         (partner_id, window_start_us, submitted_at_us, submitted_by, request_id, fingerprint, lines,
          matched, missing_here, missing_there, amount_differs, duplicates, cleared)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)
      on conflict (partner_id, request_id) do nothing
  returning reconciliation_id
)sql"};

constexpr Statement kInsertBreaks{"reconciliation.insert_breaks", R"sql(
  insert into settlement.breaks
         (reconciliation_id, partner_id, window_start_us, state, opened_at_us, kind, item, subject,
          reference, points_here, points_there)
  select $1, $2, $3, 'OPEN', $4, f.*
    from unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[]) as f
      on conflict (partner_id, window_start_us, kind, item, subject) where state <> 'RESOLVED'
      do update set reconciliation_id = excluded.reconciliation_id,
                    reference = excluded.reference, points_here = excluded.points_here,
                    points_there = excluded.points_there
)sql"};

constexpr Statement kClear{"reconciliation.clear", R"sql(
  update settlement.breaks
     set state = 'RESOLVED', resolution = 'CLEARED', resolved_at_us = $4, resolved_by = $5,
         note = 'a later view of the window does not have it'
   where partner_id = $1
     and window_start_us = $2
     and reconciliation_id <> $3
     and state <> 'RESOLVED'
     and case when subject = 'total' then item = any($7::text[]) else item = any($6::text[]) end
)sql"};

constexpr Statement kSetCleared{"reconciliation.set_cleared", R"sql(
  update settlement.reconciliations set cleared = $2 where reconciliation_id = $1
)sql"};

#define GUILDER_BREAK_COLUMNS_                                                                 \
  "b.break_id, b.reconciliation_id, b.partner_id, p.slug, b.window_start_us, b.kind, b.item, " \
  "b.subject, b.reference, b.points_here, b.points_there, b.state, b.owner, b.opened_at_us, "  \
  "b.resolution, b.fix, b.note, b.resolved_by, b.resolved_at_us "                              \
  "from settlement.breaks b join partner.partners p using (partner_id) "

constexpr Statement kListBreaks{"reconciliation.list_breaks",
                                "select " GUILDER_BREAK_COLUMNS_ R"sql(
   where b.break_id > $1
     and ($2::int is null or b.partner_id = $2)
     and ($3::bigint is null or b.window_start_us = $3)
     and ($4 or b.state <> 'RESOLVED')
   order by b.break_id
   limit $5
)sql"};

constexpr Statement kLockBreak{"reconciliation.lock_break", "select " GUILDER_BREAK_COLUMNS_ R"sql(
   where b.break_id = $1
     for update of b
)sql"};

#undef GUILDER_BREAK_COLUMNS_

constexpr Statement kUpdateBreak{"reconciliation.update_break", R"sql(
  update settlement.breaks
     set state = $2, owner = $3, resolution = $4, fix = $5, note = $6, resolved_by = $7,
         resolved_at_us = $8
   where break_id = $1
)sql"};

constexpr Statement kFindOperator{"reconciliation.find_operator", R"sql(
  select 1 from operator.operators where operator_id = $1 and disabled_at_us is null
)sql"};

constexpr std::string_view kStates[] = {"OPEN", "ASSIGNED", "RESOLVED"};
constexpr std::string_view kResolutions[] = {"", "ACCEPTED", "POSTED", "ADJUSTED", "CLEARED"};

template <typename E, size_t kCount>
E FromName(const std::string_view (&names)[kCount], std::string_view name) {
  for (size_t i = 0; i < kCount; ++i) {
    if (names[i] == name) return static_cast<E>(i);
  }
  return E();
}

std::string NameOf(const char* collection, RecordPlace place) {
  return absl::StrCat(collection, "/", place.book.value(), "-", place.number.value());
}

// What one record is: a purchase that carried a redemption is two items.
void AddItems(const Row& row, OurPage& page) {
  const RecordPlace place{row.Id<BookId>(0), row.Id<RecordNumber>(1)};
  const RecordPlace acts_on{place.book, row.OptionalId<RecordNumber>(4).value_or(RecordNumber())};
  const auto add = [&](ReconciledItem item, RecordPlace at, const char* collection, int column) {
    const auto points = row.Id<Points>(column);
    if (points > Points()) page.items.push_back({item, at, NameOf(collection, at), points});
  };
  switch (row.Enum<RecordKind>(3)) {
    case RecordKind::kPurchase:
      add(ReconciledItem::kPurchase, place, "purchases", 5);
      add(ReconciledItem::kCapture, place, "purchases", 7);
      break;
    case RecordKind::kReturn:
      add(ReconciledItem::kReturn, place, "returns", 6);
      break;
    case RecordKind::kConfirmation:
      add(ReconciledItem::kReturn, place, "records", 6);
      break;
    case RecordKind::kCapture:
      add(ReconciledItem::kCapture, acts_on, "redemptions", 7);
      break;
    case RecordKind::kRefund:
      add(ReconciledItem::kRefund, acts_on, "redemptions", 8);
      break;
    default:
      break;
  }
}

std::optional<Reconciliation> OneReconciliation(const Rows& rows) {
  if (rows.empty()) return std::nullopt;
  const Row row = rows[0];
  Reconciliation read;
  read.id = row.Id<ReconciliationId>(0);
  read.partner = row.Id<PartnerId>(1);
  read.window_start = row.Id<Timestamp>(2);
  read.submitted_at = row.Id<Timestamp>(3);
  read.submitted_by = row.Text(4);
  read.request_id = row.Uuid(5);
  read.fingerprint = row.Digest(6);
  read.found.lines = row.Int(7);
  read.found.matched = row.Int(8);
  read.found.missing_here = row.Int(9);
  read.found.missing_there = row.Int(10);
  read.found.amount_differs = row.Int(11);
  read.found.duplicates = row.Int(12);
  read.cleared = row.Int(13);
  return read;
}

Break BreakFromRow(const Row& row) {
  Break read;
  read.id = row.Id<BreakId>(0);
  read.reconciliation = row.Id<ReconciliationId>(1);
  read.partner = row.Id<PartnerId>(2);
  read.partner_slug = row.Text(3);
  read.window_start = row.Id<Timestamp>(4);
  read.finding.kind = BreakKindFromName(row.Text(5)).value();
  read.finding.item = ReconciledItemFromName(row.Text(6)).value();
  read.finding.subject = row.Text(7);
  read.finding.reference = row.Text(8);
  read.finding.here = row.OptionalId<Points>(9);
  read.finding.there = row.OptionalId<Points>(10);
  read.state = FromName<BreakState>(kStates, row.Text(11));
  read.owner = row.Text(12);
  read.opened_at = row.Id<Timestamp>(13);
  read.resolution = FromName<BreakResolution>(kResolutions, row.Text(14));
  read.fix = row.Text(15);
  read.note = row.Text(16);
  read.resolved_by = row.Text(17);
  read.resolved_at = row.OptionalId<Timestamp>(18);
  return read;
}

void StoreBreaks(Transaction& transaction, const Reconciliation& stored) {
  const std::vector<Finding>& findings = stored.found.findings;
  if (findings.empty()) return;
  transaction.Execute(
      kInsertBreaks,
      Params()
          .Int(stored.id)
          .Int(stored.partner)
          .Int(stored.window_start)
          .Int(stored.submitted_at)
          .TextArray(findings, [](const Finding& f) { return BreakKindName(f.kind); })
          .TextArray(findings, [](const Finding& f) { return ReconciledItemName(f.item); })
          .TextArray(findings, &Finding::subject)
          .TextArray(findings, &Finding::reference)
          .IntArray(findings, &Finding::here)
          .IntArray(findings, &Finding::there));
}

}  // namespace

std::map<Uuid, RecordPlace> FindClaimed(Transaction& transaction, const std::vector<Uuid>& claims) {
  std::map<Uuid, RecordPlace> found;
  for (const Row& row : transaction.Execute(kFindClaimed, Params().UuidArray(claims))) {
    found[row.Uuid(0)] = {row.Id<BookId>(1), row.Id<RecordNumber>(2)};
  }
  return found;
}

OurPage ReadOurItems(Transaction& transaction, PartnerId partner, Timestamp from, Timestamp until,
                     const RecordPosition& after, int limit) {
  OurPage page;
  const Rows rows = transaction.Execute(kReadOurs, Params()
                                                       .Int(partner)
                                                       .Int(from)
                                                       .Int(until)
                                                       .Int(after.posted_at)
                                                       .Int(after.place.book)
                                                       .Int(after.place.number)
                                                       .Int(limit));
  for (const Row& row : rows) AddItems(row, page);
  if (rows.size() == limit) {
    const Row last = rows[limit - 1];
    page.last =
        RecordPosition{last.Id<Timestamp>(2), {last.Id<BookId>(0), last.Id<RecordNumber>(1)}};
  }
  return page;
}

std::map<ReconciledItem, Points> ReadOurTotals(Transaction& transaction, PartnerId partner,
                                               Timestamp window_start) {
  std::map<ReconciledItem, Points> totals;
  for (const Row& row :
       transaction.Execute(kReadOurTotals, Params().Int(partner).Int(window_start))) {
    const auto points = row.Id<Points>(1);
    switch (row.Enum<Movement>(0)) {
      case Movement::kIssued:
        totals[ReconciledItem::kPurchase] += points;
        break;
      case Movement::kReversed:
      case Movement::kReversedPending:
        totals[ReconciledItem::kReturn] += points;
        break;
      case Movement::kRedeemed:
        totals[ReconciledItem::kCapture] += points;
        break;
      case Movement::kRefunded:
        totals[ReconciledItem::kRefund] += points;
        break;
      default:
        break;
    }
  }
  return totals;
}

bool WasPostedAfter(Transaction& transaction, PartnerId partner, RecordPlace place,
                    Timestamp from) {
  return !transaction
              .Execute(kWasPosted,
                       Params().Int(place.book).Int(place.number).Int(partner).Int(from))
              .empty();
}

std::optional<Reconciliation> FindReconciliation(Transaction& transaction, PartnerId partner,
                                                 const Uuid& request_id) {
  return OneReconciliation(
      transaction.Execute(kFindByRequest, Params().Int(partner).Uuid(request_id)));
}

std::optional<Reconciliation> FindReconciliation(Transaction& transaction, ReconciliationId id) {
  return OneReconciliation(transaction.Execute(kFind, Params().Int(id)));
}

absl::StatusOr<Reconciliation> StoreReconciliation(Transaction& transaction,
                                                   Reconciliation reconciliation) {
  const Comparison& found = reconciliation.found;
  transaction.Execute(kLockPartner, Params().Int(reconciliation.partner));
  const Rows inserted = transaction.Execute(kInsert, Params()
                                                         .Int(reconciliation.partner)
                                                         .Int(reconciliation.window_start)
                                                         .Int(reconciliation.submitted_at)
                                                         .Text(reconciliation.submitted_by)
                                                         .Uuid(reconciliation.request_id)
                                                         .Bytes(reconciliation.fingerprint)
                                                         .Int(found.lines)
                                                         .Int(found.matched)
                                                         .Int(found.missing_here)
                                                         .Int(found.missing_there)
                                                         .Int(found.amount_differs)
                                                         .Int(found.duplicates));
  if (inserted.empty()) return Refuse(Reason::kRequestIdReused);
  reconciliation.id = inserted[0].Id<ReconciliationId>(0);
  StoreBreaks(transaction, reconciliation);
  reconciliation.cleared =
      transaction
          .Execute(kClear, Params()
                               .Int(reconciliation.partner)
                               .Int(reconciliation.window_start)
                               .Int(reconciliation.id)
                               .Int(reconciliation.submitted_at)
                               .Text(absl::StrCat("reconciliations/", reconciliation.id.value()))
                               .TextArray(found.complete, ReconciledItemName)
                               .TextArray(found.totals, ReconciledItemName))
          .affected();
  transaction.Execute(kSetCleared, Params().Int(reconciliation.id).Int(reconciliation.cleared));
  return reconciliation;
}

std::vector<Break> ListBreaks(Transaction& transaction, const BreakFilter& filter, BreakId after,
                              int limit) {
  std::vector<Break> breaks;
  for (const Row& row : transaction.Execute(kListBreaks, Params()
                                                             .Int(after)
                                                             .Int(filter.partner)
                                                             .Int(filter.window_start)
                                                             .Bool(filter.include_resolved)
                                                             .Int(limit))) {
    breaks.push_back(BreakFromRow(row));
  }
  return breaks;
}

absl::StatusOr<Break> LockBreak(Transaction& transaction, BreakId id) {
  const Rows rows = transaction.Execute(kLockBreak, Params().Int(id));
  if (rows.empty()) return Refuse(Reason::kNameNotFound, "no such break");
  return BreakFromRow(rows[0]);
}

void UpdateBreak(Transaction& transaction, const Break& changed) {
  transaction.Execute(kUpdateBreak, Params()
                                        .Int(changed.id)
                                        .Text(kStates[static_cast<size_t>(changed.state)])
                                        .Text(changed.owner)
                                        .Text(kResolutions[static_cast<size_t>(changed.resolution)])
                                        .Text(changed.fix)
                                        .Text(changed.note)
                                        .Text(changed.resolved_by)
                                        .Int(changed.resolved_at));
}

bool OperatorExists(Transaction& transaction, const std::string& operator_id) {
  return !transaction.Execute(kFindOperator, Params().Text(operator_id)).empty();
}

}  // namespace guilder::settlement
