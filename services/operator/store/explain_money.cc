#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "libs/base/text.h"
#include "libs/ledger/core/entry.h"
#include "services/operator/store/explain_walk.h"

namespace guilder::operator_ {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;

constexpr Statement kFindPayment{"explain.payment", R"sql(
  select o.settlement_id, p.slug, p.display_name, o.partner_is_paid, o.amount, o.state
    from settlement.obligations o
    join partner.partners p using (partner_id)
   where o.settlement_id = $1
     and o.partner_id = $2
)sql"};

constexpr Statement kReadNet{"explain.net", R"sql(
  select n.partner_id, n.net, n.carried_in, n.carried_out, coalesce(o.amount, 0),
         coalesce(o.partner_is_paid, false), coalesce(o.state, ''), n.reimbursement, n.breakage,
         n.issuance, n.point_blocks, n.reserve, n.fee, n.tax
    from settlement.nets n
    join partner.partners p using (partner_id)
    left join settlement.obligations o using (settlement_id, partner_id)
   where n.settlement_id = $1
     and p.slug = $2
)sql"};

constexpr Statement kReadInvoicesOf{"explain.invoices_of", R"sql(
  select invoice_number
    from settlement.invoices
   where settlement_id = $1
     and partner_id = $2
   order by invoice_number
)sql"};

constexpr Statement kReadLinesOf{"explain.lines_of", R"sql(
  select line from settlement.lines where settlement_id = $1 and partner_id = $2 order by line
)sql"};

constexpr Statement kReadInvoice{"explain.invoice", R"sql(
  select i.kind, p.slug, i.settlement_id, i.issued_at_us, i.net, i.tax,
         coalesce(i.credited_invoice, '')
    from settlement.invoices i
    join partner.partners p using (partner_id)
   where i.invoice_number = $1
)sql"};

constexpr Statement kReadInvoiceLines{"explain.invoice_lines", R"sql(
  select settlement_id, line from settlement.invoice_lines where invoice_number = $1 order by line
)sql"};

constexpr Statement kReadLine{"explain.line", R"sql(
  select p.slug, c.number, l.leg, l.points, l.cumulative_points, l.amount, l.tax_code, l.tax,
         l.contract_id, c.billed_at, s.start_us, s.end_us
    from settlement.lines l
    join settlement.settlements s using (settlement_id)
    join partner.partners p using (partner_id)
    join partner.contracts c using (contract_id)
   where l.settlement_id = $1
     and l.line = $2
)sql"};

constexpr Statement kReadPositions{"explain.positions", R"sql(
  select w.window_start_us, w.window_end_us, p.movement, sum(p.points)::bigint
    from settlement.settlements s
    join settlement.windows w
      on w.window_start_us >= s.start_us and w.window_start_us < s.end_us
    join ledger.positions p using (window_start_us)
   where s.settlement_id = $1
     and p.contract_id = $2
   group by w.window_start_us, w.window_end_us, p.movement
   order by w.window_start_us, p.movement
)sql"};

constexpr Statement kCountBilled{"explain.count_billed", R"sql(
  select count(*)
    from ledger.entries e
   where e.contract_id = $1
     and e.posted_at_us >= $2
     and e.posted_at_us < $3
     and case when $4 then (e.debit_bucket = 11 and e.credit_bucket = 12)
                           or (e.credit_bucket = 1 and e.debit_bucket <> 11)
              else 1 in (e.debit_bucket, e.credit_bucket) or 2 in (e.debit_bucket, e.credit_bucket)
              end
)sql"};

constexpr Statement kReadSettlement{"explain.settlement", R"sql(
  select s.state, s.currency, s.start_us, s.end_us, s.computed_by, s.approved_by,
         (select count(*)
            from settlement.windows w
           where w.window_start_us >= s.start_us
             and w.window_start_us < s.end_us)
    from settlement.settlements s
   where s.settlement_id = $1
)sql"};

constexpr Statement kReadNetsOf{"explain.nets_of", R"sql(
  select p.slug from settlement.nets n join partner.partners p using (partner_id)
   where n.settlement_id = $1
   order by p.slug
)sql"};

constexpr Statement kReadWindow{"explain.window", R"sql(
  select window_end_us, sealed_at_us, coalesce(settlement_id, 0)
    from settlement.windows
   where window_start_us = $1
)sql"};

constexpr Statement kReadSealsOf{"explain.seals_of", R"sql(
  select book, last_number, root from ledger.seals where boundary_us = $1 order by book
)sql"};

constexpr char kWindowFormat[] = "%E4Y%m%dT%H%M%SZ";

std::string WindowName(Timestamp start) {
  return "windows/" + absl::FormatTime(kWindowFormat, ToAbslTime(start), absl::UTCTimeZone());
}

std::string LineName(int64_t settlement, int64_t line) {
  return absl::StrCat("settlements/", settlement, "/lines/", line);
}

// "reimbursement 5.00 EUR less issuance 1.30 EUR, tax 0.25 EUR; carried in 2.00 EUR", or "for
// issuance 1.30 EUR": what the net of a row of kReadNet is made of, without what is nothing.
std::string PartsText(Walk& walk, int64_t settlement, const Row& row) {
  constexpr struct {
    const char* name;
    int column;
  } kParts[] = {{"reimbursement", 7}, {"breakage", 8}, {"issuance", 9}, {"point blocks", 10},
                {"reserve", 11},      {"fee", 12},     {"tax", 13}};
  constexpr int kFirstPaid = 9;
  std::string text;
  bool less = false;
  for (const auto& part : kParts) {
    if (row.Int(part.column) == 0) continue;
    const bool begins = part.column >= kFirstPaid && !less;
    if (!text.empty()) absl::StrAppend(&text, begins ? " less " : ", ");
    if (text.empty() && begins) text = "for ";
    absl::StrAppend(&text, part.name, " ", walk.MoneyOf(settlement, row.Int(part.column)));
    less = less || begins;
  }
  if (text.empty()) text = "nothing was billed";
  if (row.Int(2) != 0) {
    absl::StrAppend(&text, "; carried in ", walk.MoneyOf(settlement, row.Int(2)));
  }
  if (row.Int(3) != 0) {
    absl::StrAppend(&text, "; carried forward ", walk.MoneyOf(settlement, row.Int(3)));
  }
  return text;
}

// A net with the invoices that bill it, or with its lines while there are none. What is carried
// forward, or not approved, is no obligation.
bool ExplainNet(Walk& walk, int depth, int64_t settlement, const std::string& partner,
                bool with_lines) {
  const Rows rows = walk.Execute(kReadNet, Params().Int(settlement).Text(partner));
  if (rows.empty()) return false;
  const Row row = rows[0];
  const std::string parts = PartsText(walk, settlement, row);
  if (row.Text(6).empty()) {
    walk.Add(depth, absl::StrCat("partners/", partner), "net",
             absl::StrCat(walk.MoneyOf(settlement, row.Int(1)), ", no obligation: ", parts));
  } else {
    walk.Add(depth, absl::StrCat("settlements/", settlement, "/obligations/", partner),
             "obligation",
             absl::StrCat(walk.MoneyOf(settlement, row.Int(4)),
                          row.Bool(5) ? " to be paid to partners/" : " to pay by partners/",
                          partner, ", ", ToAbsl(row.Text(6)), ": ", parts));
  }
  if (!with_lines) return true;
  ExplainPaymentsOf(walk, depth + 1, settlement, row.Int(0));
  const Params of_partner = Params().Int(settlement).Int(row.Int(0));
  const Rows invoices = walk.Execute(kReadInvoicesOf, of_partner);
  for (const Row& invoice : invoices) ExplainInvoice(walk, depth + 1, std::string(invoice.Text(0)));
  if (!invoices.empty()) return true;
  for (const Row& line : walk.Execute(kReadLinesOf, of_partner)) {
    ExplainLine(walk, depth + 1, settlement, line.Int(0));
  }
  return true;
}

}  // namespace

bool ExplainPayment(Walk& walk, int depth, const std::string& end_to_end_id) {
  // "GLD-12-7": of settlement 12, by or to the partner with the number 7.
  constexpr std::string_view kPrefix = "GLD-";
  const size_t dash = end_to_end_id.find('-', kPrefix.size());
  if (end_to_end_id.compare(0, kPrefix.size(), kPrefix) != 0 || dash == std::string::npos) {
    return false;
  }
  const auto settlement =
      ParseInt(std::string_view(end_to_end_id).substr(kPrefix.size(), dash - kPrefix.size()));
  const auto partner = ParseInt(std::string_view(end_to_end_id).substr(dash + 1));
  if (!settlement || !partner || *settlement > INT32_MAX || *partner > INT32_MAX) return false;
  const Rows rows = walk.Execute(kFindPayment, Params().Int(*settlement).Int(*partner));
  if (rows.empty()) return false;
  const Row row = rows[0];
  walk.Add(depth, end_to_end_id, "payment",
           absl::StrCat(walk.MoneyOf(row.Int(0), row.Int(4)), row.Bool(3) ? " to " : " from ",
                        ToAbsl(row.Text(2)), ", ", ToAbsl(row.Text(5))));
  ExplainNet(walk, depth + 1, row.Int(0), std::string(row.Text(1)), /*with_lines=*/true);
  return true;
}

bool ExplainObligation(Walk& walk, int depth, int64_t settlement, const std::string& partner) {
  const Rows rows = walk.Execute(kReadNet, Params().Int(settlement).Text(partner));
  // Without a state there is none.
  if (rows.empty() || rows[0].Text(6).empty()) return false;
  return ExplainNet(walk, depth, settlement, partner, /*with_lines=*/true);
}

bool ExplainInvoice(Walk& walk, int depth, const std::string& number) {
  if (ExplainCreditNote(walk, depth, number)) return true;
  const Rows rows = walk.Execute(kReadInvoice, Params().Text(number));
  if (rows.empty()) return false;
  const Row row = rows[0];
  const bool credit = row.Text(0) == "CREDIT_NOTE";
  const std::string what =
      credit                         ? row.Text(6).empty()
                                           ? std::string("credit for partners/")
                                           : absl::StrCat("credit of invoices/", ToAbsl(row.Text(6)), " for partners/")
                              : row.Text(0) == "SELF_BILLED" ? "self-billed invoice of partners/"
                                     : "invoice to partners/";
  walk.Add(depth, absl::StrCat("invoices/", number), credit ? "credit note" : "invoice",
           absl::StrCat(what, ToAbsl(row.Text(1)), ": ", walk.MoneyOf(row.Int(2), row.Int(4)),
                        " and tax ", walk.MoneyOf(row.Int(2), row.Int(5)), ", of settlements/",
                        row.Int(2), ", issued at ", FormatTimestamp(row.Id<Timestamp>(3))));
  for (const Row& line : walk.Execute(kReadInvoiceLines, Params().Text(number))) {
    ExplainLine(walk, depth + 1, line.Int(0), line.Int(1));
  }
  return true;
}

bool ExplainLine(Walk& walk, int depth, int64_t settlement, int64_t line) {
  const Rows rows = walk.Execute(kReadLine, Params().Int(settlement).Int(line));
  if (rows.empty()) return false;
  const Row row = rows[0];
  const std::string partner(row.Text(0));
  const bool at_activation = row.Text(2) == "ISSUANCE" && row.Text(9) == "ACTIVATION";
  walk.Add(depth, LineName(settlement, line), "invoice line",
           absl::StrCat(ToAbsl(row.Text(2)), " of ", PointsText(row.Int(3)), " (", row.Int(4),
                        " with all before): ", walk.MoneyOf(settlement, row.Int(5)), " and tax ",
                        walk.MoneyOf(settlement, row.Int(7)), " ", ToAbsl(row.Text(6))));
  ExplainContract(walk, depth + 1, partner, static_cast<int>(row.Int(1)));

  const auto contract = row.Id<ContractId>(8);
  if (row.Text(2) == "POINT_BLOCK") {
    ExplainPointBlocksOf(walk, depth + 1, settlement, contract);
    return true;
  }
  const Rows positions = walk.Execute(kReadPositions, Params().Int(settlement).Int(contract));
  int shown = 0;
  for (int i = 0; i < positions.size() && i < kShown; ++i) {
    const Row position = positions[i];
    const auto start = position.Id<Timestamp>(0);
    walk.Add(depth + 1, WindowName(start), "position",
             absl::StrCat(PointsText(position.Int(3)), " ",
                          ToAbsl(ledger::MovementName(position.Enum<ledger::Movement>(2)))));
    // Its entries stand below the last position of a window.
    const bool last_of_window =
        i + 1 == positions.size() || positions[i + 1].Id<Timestamp>(0) != start;
    if (last_of_window && shown < kShown) {
      shown += ExplainBilledEntries(walk, depth + 2, contract, at_activation, start,
                                    position.Id<Timestamp>(1), kShown - shown);
    }
  }
  walk.AddMore(depth + 1, "position", positions.size(), kShown);
  const int64_t entries =
      walk.Execute(kCountBilled,
                   Params().Int(contract).Int(row.Int(10)).Int(row.Int(11)).Bool(at_activation))[0]
          .Int(0);
  walk.AddMore(depth + 2, "entry", entries, shown);
  return true;
}

bool ExplainSettlement(Walk& walk, int depth, int64_t settlement) {
  const Rows rows = walk.Execute(kReadSettlement, Params().Int(settlement));
  if (rows.empty()) return false;
  const Row row = rows[0];
  std::string text =
      absl::StrCat(ToAbsl(row.Text(0)), ", ", row.Int(6), " windows from ",
                   FormatTimestamp(row.Id<Timestamp>(2)), " until ",
                   FormatTimestamp(row.Id<Timestamp>(3)), ", computed by ", ToAbsl(row.Text(4)));
  if (!row.Text(5).empty()) absl::StrAppend(&text, ", approved by ", ToAbsl(row.Text(5)));
  walk.Add(depth, absl::StrCat("settlements/", settlement), "settlement", std::move(text));
  for (const Row& net : walk.Execute(kReadNetsOf, Params().Int(settlement))) {
    ExplainNet(walk, depth + 1, settlement, std::string(net.Text(0)), /*with_lines=*/false);
  }
  return true;
}

bool ExplainWindow(Walk& walk, int depth, const std::string& start_in_utc) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(kWindowFormat, start_in_utc, &time, &error)) return false;
  const Timestamp start = FromAbslTime(time);
  const Rows rows = walk.Execute(kReadWindow, Params().Int(start));
  if (rows.empty()) return false;
  const Row row = rows[0];
  const auto end = row.Id<Timestamp>(0);
  walk.Add(depth, WindowName(start), "window",
           absl::StrCat("until ", FormatTimestamp(end), ", sealed at ",
                        FormatTimestamp(row.Id<Timestamp>(1)),
                        row.Int(2) > 0 ? absl::StrCat(", in settlements/", row.Int(2)) : ""));
  for (const Row& seal : walk.Execute(kReadSealsOf, Params().Int(end))) {
    walk.Add(depth + 1, absl::StrCat("books/", seal.Int(0)), "seal",
             absl::StrCat(seal.Int(1), " records, head ", ToHex(AsView(seal.Digest(2)))));
  }
  return true;
}

}  // namespace guilder::operator_
