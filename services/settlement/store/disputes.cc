#include "services/settlement/store/disputes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "services/settlement/domain/invoice.h"
#include "services/settlement/store/invoices.h"
#include "services/settlement/store/money.h"
#include "services/settlement/store/settlements.h"

namespace guilder::settlement {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr size_t kDuePerTransaction = 100;

constexpr Statement kReadPolicy{"dispute.read_policy", R"sql(
  select open_days, resolve_days, excluded, default_outcome
    from settlement.dispute_policies
   where programme_id = $1
)sql"};

constexpr Statement kStorePolicy{"dispute.store_policy", R"sql(
  insert into settlement.dispute_policies
         (programme_id, open_days, resolve_days, excluded, default_outcome, changed_by)
  values ($1, $2, $3, $4, $5, $6)
      on conflict (programme_id)
      do update set open_days = excluded.open_days, resolve_days = excluded.resolve_days,
                    excluded = excluded.excluded, default_outcome = excluded.default_outcome,
                    changed_by = excluded.changed_by
)sql"};

#define GUILDER_DISPUTE_COLUMNS_                                                           \
  "dispute_id, partner_id, settlement_id, line, amount, reason, evidence, evidence_name, " \
  "state, excluded, opened_by, opened_at_us, deadline_us, default_outcome, resolved_by, "  \
  "resolved_at_us, note, credited, adjustment_id, request_id from settlement.disputes "

constexpr Statement kFindByRequest{"dispute.find_by_request", "select " GUILDER_DISPUTE_COLUMNS_
                                                              R"sql(
   where request_id = $1
)sql"};

constexpr Statement kFind{"dispute.find", "select " GUILDER_DISPUTE_COLUMNS_ R"sql(
   where dispute_id = $1
)sql"};

constexpr Statement kList{"dispute.list", "select " GUILDER_DISPUTE_COLUMNS_ R"sql(
   where dispute_id > $1
     and ($2::int is null or partner_id = $2)
     and ($3 or state = 'OPEN')
   order by dispute_id
   limit $4
)sql"};

constexpr Statement kReadDue{"dispute.read_due", "select " GUILDER_DISPUTE_COLUMNS_ R"sql(
   where state = 'OPEN'
     and deadline_us <= $1
   order by dispute_id
   limit $2
)sql"};

#undef GUILDER_DISPUTE_COLUMNS_

constexpr Statement kInsert{"dispute.insert", R"sql(
  insert into settlement.disputes
         (partner_id, settlement_id, line, amount, reason, evidence, evidence_name, state, excluded,
          opened_by, opened_at_us, deadline_us, default_outcome, request_id)
  values ($1, $2, $3, $4, $5, $6, $7, 'OPEN', $8, $9, $10, $11, $12, $13)
      on conflict (settlement_id, line) do nothing
  returning dispute_id
)sql"};

constexpr Statement kDecide{"dispute.decide", R"sql(
  update settlement.disputes
     set state = $2, resolved_by = $3, resolved_at_us = $4, note = $5, credited = $6,
         adjustment_id = $7
   where dispute_id = $1
)sql"};

// What is disputed and excluded is not overdue; it is the tax's, too.
constexpr Statement kFollow{"dispute.follow", R"sql(
  update settlement.obligations o
     set disputed = (select coalesce(sum(d.amount + round(d.amount * l.tax_ppm / 1000000.0)), 0)::bigint
                       from settlement.disputes d
                       join settlement.lines l using (settlement_id, line)
                      where d.settlement_id = $1
                        and d.partner_id = $2
                        and d.state = 'OPEN'
                        and d.excluded)
   where o.settlement_id = $1
     and o.partner_id = $2
)sql"};

constexpr Statement kSumCredited{"settlement.sum_credited", R"sql(
  select coalesce(sum(net), 0)::bigint, coalesce(sum(tax), 0)::bigint
    from settlement.adjustments
   where settlement_id = $1
     and line = $2
)sql"};

constexpr Statement kInsertAdjustment{"dispute.insert_adjustment", R"sql(
  insert into settlement.adjustments
         (partner_id, settlement_id, line, source, net, tax, posted_by, posted_at_us)
  values ($1, $2, $3, $4, $5, $6, $7, 0)
  returning adjustment_id
)sql"};

constexpr Statement kPlaceAdjustment{"dispute.place_adjustment", R"sql(
  update settlement.adjustments set posted_at_us = $2 where adjustment_id = $1
)sql"};

constexpr Statement kReadCredited{"dispute.read_credited", R"sql(
  select partner_id, sum(net + tax)::bigint
    from settlement.adjustments
   where posted_at_us >= $1
     and posted_at_us < $2
   group by partner_id
)sql"};

constexpr Statement kFindInvoiceOf{"dispute.find_invoice_of", R"sql(
  select invoice_number from settlement.invoice_lines where settlement_id = $1 and line = $2
)sql"};

// The row stays locked until the commit, so a number is given again when the transaction fails.
constexpr Statement kTakeNumber{"dispute.take_number", R"sql(
  insert into settlement.number_ranges (kind, year, last_number)
  values ('CREDIT_NOTE', $1, 1)
      on conflict (kind, year) do update set last_number = number_ranges.last_number + 1
  returning last_number
)sql"};

constexpr Statement kInsertNote{"dispute.insert_credit_note", R"sql(
  insert into settlement.credit_notes (credit_note_number, invoice_number, adjustment_id, issued_at_us)
  values ($1, $2, $3, $4)
)sql"};

#define GUILDER_NOTE_COLUMNS_                                                             \
  "n.credit_note_number, n.invoice_number, n.adjustment_id, a.partner_id, "               \
  "a.settlement_id, a.line, a.net, a.tax, n.issued_at_us from settlement.credit_notes n " \
  "join settlement.adjustments a using (adjustment_id) "

constexpr Statement kFindNoteOf{"dispute.find_credit_note_of", "select " GUILDER_NOTE_COLUMNS_
                                                               R"sql(
   where n.adjustment_id = $1
)sql"};

#undef GUILDER_NOTE_COLUMNS_

Dispute FromRow(const Row& row) {
  Dispute dispute;
  dispute.id = row.Id<DisputeId>(0);
  dispute.partner = row.Id<PartnerId>(1);
  dispute.settlement = row.Id<SettlementId>(2);
  dispute.line = static_cast<int>(row.Int(3));
  dispute.amount = row.Id<MinorUnits>(4);
  dispute.reason = row.Text(5);
  dispute.evidence = row.Digest(6);
  dispute.evidence_name = row.Text(7);
  dispute.state = DisputeStateFromName(row.Text(8)).value();
  dispute.excluded = row.Bool(9);
  dispute.opened_by = row.Text(10);
  dispute.opened_at = row.Id<Timestamp>(11);
  dispute.deadline = row.Id<Timestamp>(12);
  dispute.default_outcome = DisputeStateFromName(row.Text(13)).value();
  dispute.resolved_by = row.Text(14);
  dispute.resolved_at = row.OptionalId<Timestamp>(15);
  dispute.note = row.Text(16);
  dispute.credited = row.Id<MinorUnits>(17);
  dispute.adjustment = row.OptionalId<AdjustmentId>(18).value_or(AdjustmentId());
  dispute.request_id = row.Uuid(19);
  return dispute;
}

std::optional<Dispute> One(const Rows& rows) {
  return rows.empty() ? std::nullopt : std::optional(FromRow(rows[0]));
}

std::vector<Dispute> All(const Rows& rows) {
  std::vector<Dispute> disputes;
  for (const Row& row : rows) disputes.push_back(FromRow(row));
  return disputes;
}

CreditNote NoteFromRow(const Row& row) {
  CreditNote note;
  note.number = row.Text(0);
  note.invoice = row.Text(1);
  note.adjustment = row.Id<AdjustmentId>(2);
  note.partner = row.Id<PartnerId>(3);
  note.settlement = row.Id<SettlementId>(4);
  note.line = static_cast<int>(row.Int(5));
  note.net = row.Id<MinorUnits>(6);
  note.tax = row.Id<MinorUnits>(7);
  note.issued_at = row.Id<Timestamp>(8);
  return note;
}

std::optional<CreditNote> OneNote(const Rows& rows) {
  return rows.empty() ? std::nullopt : std::optional(NoteFromRow(rows[0]));
}

// Numbers the credit note of an adjustment, for the invoice that its line is on.
void WriteCreditNote(Transaction& transaction, const Programme& programme,
                     const Adjustment& adjustment) {
  const Rows invoice =
      transaction.Execute(kFindInvoiceOf, Params().Int(adjustment.settlement).Int(adjustment.line));
  if (invoice.empty()) return;
  const auto day = absl::ToCivilDay(ToAbslTime(adjustment.posted_at), programme.time_zone);
  const auto year = static_cast<int>(day.year());
  const auto number =
      static_cast<int>(transaction.Execute(kTakeNumber, Params().Int(year))[0].Int(0));
  const std::string name = InvoiceNumber(InvoiceKind::kCreditNote, year, number);
  transaction.Execute(
      kInsertNote,
      Params().Text(name).Text(invoice[0].Text(0)).Int(adjustment.id).Int(adjustment.posted_at));
  WriteNoteParties(transaction, name, adjustment.partner);
}

struct Credited {
  MinorUnits net;
  MinorUnits tax;
};

Credited CreditedOf(Transaction& transaction, SettlementId settlement, const Line& line) {
  const Rows rows = transaction.Execute(kSumCredited, Params().Int(settlement).Int(line.number));
  return {rows[0].Id<MinorUnits>(0), rows[0].Id<MinorUnits>(1)};
}

// Of what was decided to be credited, what is left of the line; none is a rejection.
Dispute WithoutWhatWasCredited(Dispute dispute, MinorUnits left) {
  dispute.credited = left;
  if (left == MinorUnits()) {
    dispute.state = DisputeState::kRejected;
    dispute.note = "the line was credited otherwise";
  }
  return dispute;
}

// The one line of a settlement.
absl::StatusOr<Line> FindLine(Transaction& transaction, SettlementId settlement, int number) {
  for (Line& line : ReadLines(transaction, settlement)) {
    if (line.number == number) return std::move(line);
  }
  return absl::InternalError("a line that was billed is not there");
}

}  // namespace

DisputePolicy ReadDisputePolicy(Transaction& transaction, ProgrammeId programme) {
  DisputePolicy policy;
  const Rows rows = transaction.Execute(kReadPolicy, Params().Int(programme));
  if (rows.empty()) return policy;
  policy.open_days = static_cast<int>(rows[0].Int(0));
  policy.resolve_days = static_cast<int>(rows[0].Int(1));
  policy.excluded = rows[0].Bool(2);
  policy.default_outcome = DisputeStateFromName(rows[0].Text(3)).value();
  return policy;
}

void StoreDisputePolicy(Transaction& transaction, ProgrammeId programme,
                        const DisputePolicy& policy, const std::string& by) {
  transaction.Execute(kStorePolicy, Params()
                                        .Int(programme)
                                        .Int(policy.open_days)
                                        .Int(policy.resolve_days)
                                        .Bool(policy.excluded)
                                        .Text(DisputeStateName(policy.default_outcome))
                                        .Text(by));
}

std::optional<Dispute> FindDispute(Transaction& transaction, const Uuid& request_id) {
  return One(transaction.Execute(kFindByRequest, Params().Uuid(request_id)));
}

std::optional<Dispute> FindDispute(Transaction& transaction, DisputeId id) {
  return One(transaction.Execute(kFind, Params().Int(id)));
}

absl::StatusOr<DisputeId> InsertDispute(Transaction& transaction, const Dispute& dispute) {
  const Rows inserted =
      transaction.Execute(kInsert, Params()
                                       .Int(dispute.partner)
                                       .Int(dispute.settlement)
                                       .Int(dispute.line)
                                       .Int(dispute.amount)
                                       .Text(dispute.reason)
                                       .Bytes(dispute.evidence)
                                       .Text(dispute.evidence_name)
                                       .Bool(dispute.excluded)
                                       .Text(dispute.opened_by)
                                       .Int(dispute.opened_at)
                                       .Int(dispute.deadline)
                                       .Text(DisputeStateName(dispute.default_outcome))
                                       .Uuid(dispute.request_id));
  if (inserted.empty()) return Refuse(Reason::kAlreadyExists, "the line was disputed before");
  transaction.Execute(kFollow, Params().Int(dispute.settlement).Int(dispute.partner));
  return inserted[0].Id<DisputeId>(0);
}

absl::StatusOr<Dispute> StoreDecision(Transaction& transaction, const Programme& programme,
                                      Dispute dispute) {
  if (dispute.credited > MinorUnits()) {
    GUILDER_ASSIGN_OR_RETURN(const Line line,
                             FindLine(transaction, dispute.settlement, dispute.line));
    Adjustment adjustment;
    adjustment.partner = dispute.partner;
    adjustment.settlement = dispute.settlement;
    adjustment.line = dispute.line;
    adjustment.source = absl::StrCat("disputes/", dispute.id.value());
    adjustment.net = dispute.credited;
    adjustment.posted_by = dispute.resolved_by;
    GUILDER_ASSIGN_OR_RETURN(adjustment, PostAdjustment(transaction, programme, line, adjustment));
    dispute.adjustment = adjustment.id;
  }
  const std::optional<AdjustmentId> adjustment =
      dispute.adjustment ? std::optional(dispute.adjustment) : std::nullopt;
  transaction.Execute(kDecide, Params()
                                   .Int(dispute.id)
                                   .Text(DisputeStateName(dispute.state))
                                   .Text(dispute.resolved_by)
                                   .Int(dispute.resolved_at)
                                   .Text(dispute.note)
                                   .Int(dispute.credited)
                                   .Int(adjustment));
  transaction.Execute(kFollow, Params().Int(dispute.settlement).Int(dispute.partner));
  return dispute;
}

absl::StatusOr<bool> DecideDue(Transaction& transaction, const Programme& programme) {
  std::vector<Dispute> all =
      All(transaction.Execute(kReadDue, Params().Int(programme.now).Int(kDuePerTransaction)));
  const bool more = all.size() == kDuePerTransaction;
  for (Dispute& due : all) {
    Dispute decided = AtDeadline(std::move(due), programme.now);
    GUILDER_ASSIGN_OR_RETURN(const Line line,
                             FindLine(transaction, decided.settlement, decided.line));
    const MinorUnits left = LeftToCredit(transaction, decided.settlement, line);
    // A break of the same line may have been credited meanwhile.
    if (decided.credited > left) decided = WithoutWhatWasCredited(std::move(decided), left);
    GUILDER_RETURN_IF_ERROR(StoreDecision(transaction, programme, std::move(decided)).status());
  }
  return more;
}

std::vector<Dispute> ListDisputes(Transaction& transaction, const DisputeFilter& filter,
                                  DisputeId after, int limit) {
  return All(transaction.Execute(
      kList, Params().Int(after).Int(filter.partner).Bool(filter.include_resolved).Int(limit)));
}

MinorUnits LeftToCredit(Transaction& transaction, SettlementId settlement, const Line& line) {
  // More than the line may have been credited before there was this bound.
  return std::max(line.bill.amount - CreditedOf(transaction, settlement, line).net, MinorUnits());
}

absl::StatusOr<Adjustment> PostAdjustment(Transaction& transaction, const Programme& programme,
                                          const Line& line, Adjustment adjustment) {
  const Credited before = CreditedOf(transaction, adjustment.settlement, line);
  if (before.net + adjustment.net > line.bill.amount) {
    return Refuse(Reason::kAmountOutOfRange, absl::StrCat("more than is left of the line: ",
                                                          (line.bill.amount - before.net).value()));
  }
  // All credits together take back the tax of what they credit, to the minor unit.
  adjustment.tax = std::max(TaxOn(line, before.net + adjustment.net) - before.tax, MinorUnits());
  const Rows inserted = transaction.Execute(kInsertAdjustment, Params()
                                                                   .Int(adjustment.partner)
                                                                   .Int(adjustment.settlement)
                                                                   .Int(adjustment.line)
                                                                   .Text(adjustment.source)
                                                                   .Int(adjustment.net)
                                                                   .Int(adjustment.tax)
                                                                   .Text(adjustment.posted_by));
  adjustment.id = inserted[0].Id<AdjustmentId>(0);
  MoneyTransaction money;
  money.kind = MoneyKind::kAdjustment;
  GUILDER_ASSIGN_OR_RETURN(const Settlement settlement,
                           FindSettlement(transaction, adjustment.settlement));
  money.currency = settlement.currency;
  money.reference = absl::StrCat("adjustments/", adjustment.id.value());
  money.idempotency_key = money.reference;
  money.posted_by = adjustment.posted_by;
  money.settlement = adjustment.settlement;
  money.entries = CreditEntries(line, adjustment);
  GUILDER_ASSIGN_OR_RETURN(const PostedMoney posted, PostMoney(transaction, money));
  // The money's time says which window it is in: never a sealed one.
  adjustment.posted_at = posted.posted_at;
  transaction.Execute(kPlaceAdjustment, Params().Int(adjustment.id).Int(adjustment.posted_at));
  WriteCreditNote(transaction, programme, adjustment);
  return adjustment;
}

std::map<PartnerId, MinorUnits> ReadCredited(Transaction& transaction, Timestamp from,
                                             Timestamp until) {
  std::map<PartnerId, MinorUnits> credited;
  for (const Row& row : transaction.Execute(kReadCredited, Params().Int(from).Int(until))) {
    credited[row.Id<PartnerId>(0)] = row.Id<MinorUnits>(1);
  }
  return credited;
}

std::optional<CreditNote> FindCreditNote(Transaction& transaction, AdjustmentId adjustment) {
  return OneNote(transaction.Execute(kFindNoteOf, Params().Int(adjustment)));
}

}  // namespace guilder::settlement
