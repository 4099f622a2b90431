// Explains what was said about settlements afterwards: by banks, partners, and operators.
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "libs/base/text.h"
#include "services/operator/store/explain_walk.h"

namespace guilder::operator_ {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;

#define GUILDER_EXPLAINED_ENTRY_                                                                   \
  "select e.entry_id, e.file_id, e.booking_date, e.credit, e.amount, e.end_to_end_id, "            \
  "e.remittance, e.return_reason, e.outcome, coalesce(e.settlement_id, 0), coalesce(p.slug, ''), " \
  "e.applied, e.suspense, e.currency from settlement.bank_entries e "                              \
  "left join partner.partners p using (partner_id) "

constexpr Statement kReadEntry{"explain.bank_entry", GUILDER_EXPLAINED_ENTRY_ R"sql(
   where e.entry_id = $1
)sql"};

constexpr Statement kReadEntriesOf{"explain.bank_entries_of", GUILDER_EXPLAINED_ENTRY_ R"sql(
   where e.settlement_id = $1
     and e.partner_id = $2
   order by e.entry_id
   limit $3
)sql"};

constexpr Statement kReadEntriesOfFile{"explain.bank_entries_of_file", GUILDER_EXPLAINED_ENTRY_
                                       R"sql(
   where e.file_id = $1
   order by e.entry_id
   limit $2
)sql"};

#undef GUILDER_EXPLAINED_ENTRY_

constexpr Statement kReadAllocations{"explain.allocations", R"sql(
  select entry_id, amount, allocated_by, allocated_at_us
    from settlement.allocations
   where settlement_id = $1
     and partner_id = $2
   order by allocated_at_us, request_id
   limit $3
)sql"};

constexpr Statement kReadWriteOff{"explain.write_off", R"sql(
  select amount, note, proposed_by, approved_by
    from settlement.write_offs
   where settlement_id = $1
     and partner_id = $2
)sql"};

constexpr Statement kReadFile{"explain.bank_file", R"sql(
  select f.kind, f.message_id, f.imported_by, f.imported_at_us,
         (select count(*) from settlement.bank_entries e where e.file_id = f.file_id)
    from settlement.bank_files f
   where f.file_id = $1
)sql"};

constexpr Statement kReadReconciliation{"explain.reconciliation", R"sql(
  select p.slug, r.window_start_us, r.submitted_by, r.submitted_at_us, r.lines, r.matched
    from settlement.reconciliations r
    join partner.partners p using (partner_id)
   where r.reconciliation_id = $1
)sql"};

constexpr Statement kReadBreak{"explain.break", R"sql(
  select b.kind, b.item, b.subject, b.points_here, b.points_there, b.state, b.owner, b.resolution,
         b.fix, b.note, b.reconciliation_id
    from settlement.breaks b
   where b.break_id = $1
)sql"};

constexpr Statement kReadDispute{"explain.dispute", R"sql(
  select d.state, d.amount, d.reason, d.opened_by, d.opened_at_us, d.resolved_by, d.note,
         d.settlement_id, d.line, coalesce(d.adjustment_id, 0), d.evidence
    from settlement.disputes d
   where d.dispute_id = $1
)sql"};

constexpr Statement kReadAdjustment{"explain.adjustment", R"sql(
  select a.net, a.tax, a.source, a.posted_by, a.posted_at_us, a.settlement_id, a.line,
         coalesce(n.credit_note_number, ''), coalesce(n.invoice_number, '')
    from settlement.adjustments a
    left join settlement.credit_notes n using (adjustment_id)
   where a.adjustment_id = $1
)sql"};

constexpr Statement kFindCreditNote{"explain.credit_note", R"sql(
  select adjustment_id, invoice_number, issued_at_us
    from settlement.credit_notes
   where credit_note_number = $1
)sql"};

std::string WindowName(Timestamp start) {
  return "windows/" + absl::FormatTime("%E4Y%m%dT%H%M%SZ", ToAbslTime(start), absl::UTCTimeZone());
}

std::string PointsOrNone(const Row& row, int column) {
  return row.IsNull(column) ? "none" : PointsText(row.Int(column));
}

void AddEntry(Walk& walk, int depth, const Row& row) {
  const std::string currency(row.Text(13));
  std::string text = absl::StrCat(walk.MoneyIn(currency, row.Int(4)), row.Bool(3) ? " in" : " out",
                                  " on ", ToAbsl(row.Text(2)), ", ", ToAbsl(row.Text(8)));
  if (row.Int(11) != 0) absl::StrAppend(&text, ", applied ", walk.MoneyIn(currency, row.Int(11)));
  if (row.Int(12) != 0)
    absl::StrAppend(&text, ", in suspense ", walk.MoneyIn(currency, row.Int(12)));
  if (!row.Text(5).empty()) absl::StrAppend(&text, ", end-to-end id ", ToAbsl(row.Text(5)));
  if (!row.Text(6).empty()) absl::StrAppend(&text, ", \"", ToAbsl(row.Text(6)), "\"");
  if (!row.Text(7).empty()) absl::StrAppend(&text, ", came back: ", ToAbsl(row.Text(7)));
  walk.Add(depth, absl::StrCat("bankEntries/", row.Int(0)), "bank entry", std::move(text));
}

}  // namespace

void ExplainPaymentsOf(Walk& walk, int depth, int64_t settlement, int64_t partner) {
  const Params of = Params().Int(settlement).Int(partner).Int(kShown);
  for (const Row& row : walk.Execute(kReadEntriesOf, of)) AddEntry(walk, depth, row);
  for (const Row& row : walk.Execute(kReadAllocations, of)) {
    walk.Add(depth, absl::StrCat("bankEntries/", row.Int(0)), "allocation",
             absl::StrCat(walk.MoneyOf(settlement, row.Int(1)), " out of suspense by ",
                          ToAbsl(row.Text(2)), " at ", FormatTimestamp(row.Id<Timestamp>(3))));
  }
  for (const Row& row : walk.Execute(kReadWriteOff, Params().Int(settlement).Int(partner))) {
    walk.Add(
        depth, "", "write-off",
        absl::StrCat(walk.MoneyOf(settlement, row.Int(0)), ", \"", ToAbsl(row.Text(1)),
                     "\", proposed by ", ToAbsl(row.Text(2)),
                     row.Text(3).empty() ? ", not approved"
                                         : absl::StrCat(", approved by ", ToAbsl(row.Text(3)))));
  }
}

bool ExplainBankEntry(Walk& walk, int depth, int64_t entry) {
  const Rows rows = walk.Execute(kReadEntry, Params().Int(entry));
  if (rows.empty()) return false;
  const Row row = rows[0];
  AddEntry(walk, depth, row);
  walk.Add(depth + 1, absl::StrCat("bankFiles/", row.Int(1)), "bank file", "that told of it");
  if (row.Int(9) != 0) {
    ExplainObligation(walk, depth + 1, row.Int(9), std::string(row.Text(10)));
  }
  return true;
}

bool ExplainBankFile(Walk& walk, int depth, int64_t file) {
  const Rows rows = walk.Execute(kReadFile, Params().Int(file));
  if (rows.empty()) return false;
  const Row row = rows[0];
  walk.Add(depth, absl::StrCat("bankFiles/", file), "bank file",
           absl::StrCat(ToAbsl(row.Text(0)), " ", ToAbsl(row.Text(1)), " with ", row.Int(4),
                        " payments, imported by ", ToAbsl(row.Text(2)), " at ",
                        FormatTimestamp(row.Id<Timestamp>(3))));
  for (const Row& entry : walk.Execute(kReadEntriesOfFile, Params().Int(file).Int(kShown))) {
    AddEntry(walk, depth + 1, entry);
  }
  walk.AddMore(depth + 1, "bank entry", row.Int(4), kShown);
  return true;
}

bool ExplainReconciliation(Walk& walk, int depth, int64_t reconciliation) {
  const Rows rows = walk.Execute(kReadReconciliation, Params().Int(reconciliation));
  if (rows.empty()) return false;
  const Row row = rows[0];
  walk.Add(depth, absl::StrCat("reconciliations/", reconciliation), "reconciliation",
           absl::StrCat("partners/", ToAbsl(row.Text(0)), " for ", WindowName(row.Id<Timestamp>(1)),
                        ": ", row.Int(5), " of ", row.Int(4), " lines match, submitted by ",
                        ToAbsl(row.Text(2)), " at ", FormatTimestamp(row.Id<Timestamp>(3))));
  return true;
}

bool ExplainBreak(Walk& walk, int depth, int64_t id, std::string* subject, std::string* fix) {
  const Rows rows = walk.Execute(kReadBreak, Params().Int(id));
  if (rows.empty()) return false;
  const Row row = rows[0];
  std::string text = absl::StrCat(ToAbsl(row.Text(0)), " of ", ToAbsl(row.Text(1)), " ",
                                  ToAbsl(row.Text(2)), ": ", PointsOrNone(row, 3), " here, ",
                                  PointsOrNone(row, 4), " there, ", ToAbsl(row.Text(5)));
  if (!row.Text(6).empty()) absl::StrAppend(&text, ", owned by ", ToAbsl(row.Text(6)));
  if (!row.Text(7).empty()) {
    absl::StrAppend(&text, ", ", ToAbsl(row.Text(7)), ": \"", ToAbsl(row.Text(9)), "\"");
  }
  walk.Add(depth, absl::StrCat("breaks/", id), "break", std::move(text));
  ExplainReconciliation(walk, depth + 1, row.Int(10));
  *subject = row.Text(2);
  *fix = row.Text(8);
  return true;
}

bool ExplainAdjustment(Walk& walk, int depth, int64_t id) {
  const Rows rows = walk.Execute(kReadAdjustment, Params().Int(id));
  if (rows.empty()) return false;
  const Row row = rows[0];
  std::string text =
      absl::StrCat(walk.MoneyOf(row.Int(5), row.Int(0)), " and tax ",
                   walk.MoneyOf(row.Int(5), row.Int(1)), " credited for ", ToAbsl(row.Text(2)),
                   " by ", ToAbsl(row.Text(3)), " at ", FormatTimestamp(row.Id<Timestamp>(4)));
  if (!row.Text(7).empty()) {
    absl::StrAppend(&text, ", credit note ", ToAbsl(row.Text(7)), " for invoices/",
                    ToAbsl(row.Text(8)));
  }
  walk.Add(depth, absl::StrCat("adjustments/", id), "adjustment", std::move(text));
  ExplainLine(walk, depth + 1, row.Int(5), row.Int(6));
  return true;
}

bool ExplainDispute(Walk& walk, int depth, int64_t id) {
  const Rows rows = walk.Execute(kReadDispute, Params().Int(id));
  if (rows.empty()) return false;
  const Row row = rows[0];
  std::string text =
      absl::StrCat(walk.MoneyOf(row.Int(7), row.Int(1)), " disputed by ", ToAbsl(row.Text(3)),
                   " at ", FormatTimestamp(row.Id<Timestamp>(4)), ": \"", ToAbsl(row.Text(2)),
                   "\", evidence ", ToHex(AsView(row.Digest(10))), ", ", ToAbsl(row.Text(0)));
  if (!row.Text(5).empty()) {
    absl::StrAppend(&text, " by ", ToAbsl(row.Text(5)), ": \"", ToAbsl(row.Text(6)), "\"");
  }
  walk.Add(depth, absl::StrCat("disputes/", id), "dispute", std::move(text));
  // An adjustment shows the line itself.
  if (ExplainAdjustment(walk, depth + 1, row.Int(9))) return true;
  ExplainLine(walk, depth + 1, row.Int(7), row.Int(8));
  return true;
}

bool ExplainCreditNote(Walk& walk, int depth, const std::string& number) {
  const Rows rows = walk.Execute(kFindCreditNote, Params().Text(number));
  if (rows.empty()) return false;
  const Row row = rows[0];
  walk.Add(depth, absl::StrCat("invoices/", number), "credit note",
           absl::StrCat("for invoices/", ToAbsl(row.Text(1)), ", issued at ",
                        FormatTimestamp(row.Id<Timestamp>(2))));
  return ExplainAdjustment(walk, depth + 1, row.Int(0));
}

}  // namespace guilder::operator_
