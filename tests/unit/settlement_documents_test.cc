// Documents for people: whatever names and texts say, a document shows them and does nothing else.
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "services/settlement/domain/html.h"
#include "services/settlement/domain/invoice_document.h"
#include "services/settlement/domain/report_document.h"
#include "services/settlement/domain/statement_document.h"
#include "tests/support/catch2.h"

namespace guilder::settlement {
namespace {

constexpr Currency kEuro{'E', 'U', 'R'};
constexpr char kHostile[] = "Bob's \"<script>alert(1)</script>\" & Söhne";

Settlement ASettlement() {
  Settlement settlement;
  settlement.id = SettlementId(12);
  settlement.state = State::kApproved;
  settlement.currency = kEuro;
  settlement.start = Timestamp(1'767'225'600 * kMicrosPerSecond);
  settlement.end = settlement.start + Timestamp(2 * kMicrosPerDay);
  settlement.computed_by = "anna";
  settlement.approved_by = "bert";
  return settlement;
}

Net ANet() {
  Net net;
  net.partner = PartnerId(7);
  net.issued = Points(1'000);
  net.redeemed = Points(9'000);
  net.issuance = MinorUnits(1'000);
  net.reimbursement = MinorUnits(7'200);
  net.fee = MinorUnits(180);
  net.tax = MinorUnits(224);
  net.net = MinorUnits(5'796);
  return net;
}

Statement AStatement() {
  Statement statement;
  statement.settlement = ASettlement();
  statement.time_zone = absl::UTCTimeZone();
  statement.partner_slug = "florist";
  statement.partner_name = kHostile;
  statement.operator_name = "Club AG";
  statement.net = ANet();
  statement.balance = StatementBalance{MinorUnits(100),   MinorUnits(-100), MinorUnits(5'796),
                                       MinorUnits(5'803), MinorUnits(9),    MinorUnits(-2)};
  Line line;
  line.number = 1;
  line.bill.points = Points(9'000);
  line.bill.amount = MinorUnits(7'200);
  line.bill.tax_code = "O";
  statement.lines = {{line, "partners/florist/contracts/2", "9000 points redeemed at 0.008 EUR"}};
  statement.invoices = {
      {"CN-2026-000001", "CREDIT_NOTE", "INV-2026-000007", MinorUnits(8), MinorUnits(1)},
      {"SB-2026-000001", "SELF_BILLED", "", MinorUnits(7'200), MinorUnits()}};
  return statement;
}

const netting::Terms& SomeTerms(ContractId) {
  static const netting::Terms terms = [] {
    netting::Terms made;
    made.rate_micros = 10'000;
    made.reserve_ppm = 100'000;
    return made;
  }();
  return terms;
}

Invoice AnInvoice() {
  Invoice invoice;
  invoice.number = "INV-2026-000007";
  invoice.settlement = SettlementId(12);
  invoice.partner = PartnerId(7);
  invoice.currency = kEuro;
  invoice.issued_at = Timestamp(1'767'398'400 * kMicrosPerSecond);
  invoice.start = ASettlement().start;
  invoice.end = ASettlement().end;
  invoice.partner_party = {"florist", kHostile, "HRB 1", "DE123456789"};
  invoice.operator_party = {"club", "Club AG", "HRB 2", "DE987654321"};
  invoice.payment =
      InvoicePayment{false, MinorUnits(1'004), invoice.issued_at + Timestamp(kMicrosPerDay)};
  Line issuance;
  issuance.number = 4;
  issuance.tax_ppm = 190'000;
  issuance.bill.points = Points(1);
  issuance.bill.cumulative_points = Points(1'234);
  issuance.bill.amount = MinorUnits(1);
  issuance.bill.tax_code = "S19";
  issuance.bill.tax = MinorUnits(1);
  issuance.bill.cumulative_amount = MinorUnits(1'234);
  issuance.bill.cumulative_tax = MinorUnits(234);
  Line reserve;
  reserve.number = 5;
  reserve.bill.leg = netting::MoneyLeg::kReserve;
  reserve.bill.points = Points(100);
  reserve.bill.amount = MinorUnits(10);
  invoice.lines = {issuance, reserve};
  invoice.settled = invoice.lines;
  invoice.net = MinorUnits(11);
  invoice.tax = MinorUnits(1);
  return invoice;
}

// The same, given back.
Invoice ACreditNote() {
  Invoice note = AnInvoice();
  note.number = "CN-2026-000001";
  note.kind = InvoiceKind::kCreditNote;
  note.credited = "INV-2026-000007";
  note.payment.reset();
  for (Line& line : note.lines) {
    line.bill.points = Points() - line.bill.points;
    line.bill.amount = -line.bill.amount;
    line.bill.tax = -line.bill.tax;
  }
  note.settled = note.lines;
  return note;
}

std::string HtmlOf(Invoice invoice) {
  return InvoiceHtml(MakeInvoiceDocument(std::move(invoice), 2, absl::UTCTimeZone(), SomeTerms));
}

Report AReport() {
  Report report;
  report.settlement = ASettlement();
  report.time_zone = absl::UTCTimeZone();
  report.operator_name = kHostile;
  report.partners = {{"florist", kHostile, ANet(), "OPEN"}, {"grocer", "Grocer", ANet(), "PAID"}};
  report.partners[1].net.net = MinorUnits(-14'691);
  report.days = {{report.settlement.start, Points(10), Points(5)},
                 {report.settlement.start + Timestamp(kMicrosPerDay), Points(20), Points(0)}};
  report.outstanding = {{"florist", {Points(5), Points(), Points(), Points(), Points(1)}}};
  return report;
}

// Compares with the file of that name; writes it where GUILDER_WRITE_GOLDEN is set.
void CheckGolden(const std::string& name, const std::string& text) {
  const char* source = std::getenv("GUILDER_SOURCE_DIR");
  REQUIRE(source != nullptr);
  const std::string path = absl::StrCat(source, "/tests/data/golden/", name);
  if (std::getenv("GUILDER_WRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
  }
  std::ifstream file(path, std::ios::binary);
  const std::string golden{std::istreambuf_iterator<char>(file), {}};
  CHECK(text == golden);
}

TEST_CASE("EscapeHtml: no text is markup, in an element or an attribute", "[unit][settlement]") {
  CHECK(EscapeHtml("<a href='x' b=\"y\">&amp;</a>") ==
        "&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp;amp;&lt;/a&gt;");
  CHECK(EscapeHtml("Söhne") == "Söhne");
}

TEST_CASE("CsvField: separators are quoted, and formulas are text", "[unit][settlement]") {
  CHECK(CsvField("plain") == "plain");
  CHECK(CsvField("a,b") == "\"a,b\"");
  CHECK(CsvField("say \"hi\"") == "\"say \"\"hi\"\"\"");
  CHECK(CsvField("two\nlines") == "\"two\nlines\"");
  CHECK(CsvField("=HYPERLINK(\"http://x\")") == "\"'=HYPERLINK(\"\"http://x\"\")\"");
  for (const char* const formula : {"+1", "-1", "@x"}) CHECK(CsvField(formula)[0] == '\'');
}

TEST_CASE("MoneyText: amounts are grouped, with the currency's digits", "[unit][settlement]") {
  CHECK(MoneyText(MinorUnits(123'456'789), 2, kEuro) == "1,234,567.89 EUR");
  CHECK(MoneyText(MinorUnits(-1'234), 0, {'J', 'P', 'Y'}) == "-1,234 JPY");
  CHECK(MoneyText(MinorUnits(5), 2, kEuro) == "0.05 EUR");
}

TEST_CASE("StatementCsv: what was is what is asked for", "[unit][settlement][inv-84]") {
  CheckGolden("statement.csv", StatementCsv(AStatement()));
}

TEST_CASE("StatementHtml: what was is what is asked for", "[unit][settlement][inv-84]") {
  CheckGolden("statement.html", StatementHtml(AStatement()));
}

TEST_CASE("InvoiceHtml: parties, period, arithmetic of the tax, and how it is paid",
          "[unit][settlement][inv-84]") {
  CheckGolden("invoice.html", HtmlOf(AnInvoice()));
}

TEST_CASE("InvoiceHtml: a credit note names what it credits, and its amounts are above zero",
          "[unit][settlement][inv-84]") {
  CheckGolden("credit-note.html", HtmlOf(ACreditNote()));
}

TEST_CASE("MakeInvoiceDocument: the bases of the taxes add up to the net", "[unit][settlement]") {
  for (Invoice invoice : {AnInvoice(), ACreditNote()}) {
    const InvoiceDocument document =
        MakeInvoiceDocument(invoice, 2, absl::UTCTimeZone(), SomeTerms);
    MinorUnits base, tax, lines;
    for (const InvoiceDocumentTax& sum : document.taxes) {
      base += sum.sum.base;
      tax += sum.sum.tax;
    }
    for (const InvoiceDocumentLine& line : document.lines) lines += line.line.bill.amount;
    CHECK(base == invoice.net);
    CHECK(lines == invoice.net);
    CHECK(tax == invoice.tax);
  }
}

TEST_CASE("MakeInvoiceDocument: a credit for a part names the line by its place on the invoice",
          "[unit][settlement][inv-91]") {
  Invoice note = ACreditNote();
  note.lines.pop_back();
  note.credited_for = "disputes/3";
  note.credited_place = 1;

  const InvoiceDocument document = MakeInvoiceDocument(note, 2, absl::UTCTimeZone(), SomeTerms);

  REQUIRE(document.lines.size() == 1);
  CHECK(document.lines[0].text == "Credit for line 1 of invoice INV-2026-000007, by disputes/3");
}

TEST_CASE("ReportHtml: what was is what is asked for", "[unit][settlement]") {
  CheckGolden("settlement-report.html", ReportHtml(AReport()));
}

TEST_CASE("Documents: hostile names are shown and do nothing", "[unit][settlement]") {
  for (const std::string& html :
       {StatementHtml(AStatement()), ReportHtml(AReport()), HtmlOf(AnInvoice())}) {
    CHECK_FALSE(absl::StrContains(html, "<script"));
    CHECK(absl::StrContains(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    CHECK(absl::StrContains(html, "default-src 'none'"));
    CHECK_FALSE(absl::StrContains(html, "src="));
    CHECK_FALSE(absl::StrContains(html, "href="));
  }
}

TEST_CASE("ReportHtml: nothing at all, and very much, are drawn too", "[unit][settlement]") {
  Report report;
  report.settlement = ASettlement();
  CHECK(absl::StrContains(ReportHtml(report), "Nobody owes anybody"));
  for (int i = 0; i < 1'000; ++i) {
    report.partners.push_back({absl::StrCat("p", i), "P", ANet(), ""});
    report.partners.back().net.net = MinorUnits(INT64_MAX / 2'000);
    report.days.push_back({report.settlement.start, Points(INT64_MAX / 2), Points(1)});
  }

  const std::string html = ReportHtml(report);

  CHECK(absl::StrContains(html, "more, in the table below"));
  CHECK_FALSE(absl::StrContains(html, "width=\"-"));
  CHECK_FALSE(absl::StrContains(html, "height=\"-"));
}

}  // namespace
}  // namespace guilder::settlement
