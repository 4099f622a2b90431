#include "services/settlement/domain/invoice_document.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "services/settlement/domain/html.h"
#include "services/settlement/domain/names.h"

namespace guilder::settlement {
namespace {

std::string Money(const InvoiceDocument& document, MinorUnits amount) {
  return MoneyText(amount, document.currency_exponent, document.invoice.currency);
}

std::string DayOf(const InvoiceDocument& document, Timestamp at) {
  return absl::FormatTime("%Y-%m-%d", ToAbslTime(at), document.time_zone);
}

// It is due until the end of that day.
std::string DueDay(const InvoiceDocument& document) {
  return DayOf(document, document.invoice.payment->due_at - Timestamp(1));
}

// What is credited is above zero.
Line TurnedRound(Line line) {
  netting::Line& bill = line.bill;
  bill.points = Points() - bill.points;
  bill.amount = -bill.amount;
  bill.tax = -bill.tax;
  return line;
}

// What a credit for a part of one line is of.
std::string CreditText(const Invoice& invoice) {
  return absl::StrCat("Credit for line ", invoice.credited_place, " of invoice ", invoice.credited,
                      ", by ", invoice.credited_for);
}

std::string TermsText(const InvoiceDocument& document) {
  const Invoice& invoice = document.invoice;
  if (!invoice.credited_for.empty()) {
    return absl::StrCat("Credited to the account of ", invoice.partner_party.name,
                        ": the settlement of the time in which it was issued takes it.");
  }
  const std::string set_off = absl::StrCat("Set off against the other documents of settlement ",
                                           invoice.settlement.value());
  if (!invoice.payment) return set_off + ": nothing is left to be paid now.";
  return absl::StrCat(set_off, ": ", invoice.partner_party.name,
                      invoice.payment->partner_is_paid ? " is paid " : " pays ",
                      Money(document, invoice.payment->amount), " by ", DueDay(document),
                      ", with the reference ", document.payment_reference, ".");
}

InvoiceDocumentLine LineOf(const InvoiceDocument& document, const Line& settled, int number,
                           const netting::Terms& terms) {
  const Invoice& invoice = document.invoice;
  const bool credit = invoice.kind == InvoiceKind::kCreditNote;
  InvoiceDocumentLine line;
  line.number = number;
  line.line = credit ? TurnedRound(settled) : settled;
  if (!invoice.credited_for.empty()) {
    line.text = CreditText(invoice);
    return line;
  }
  line.rate_micros = RateOf(settled, terms);
  line.rounding = RoundingText(settled, terms, invoice.currency, document.currency_exponent);
  if (settled.bill.leg == netting::MoneyLeg::kFee) {
    line.fee = FeePartsOf(settled, invoice.settled, terms, document.currency_exponent);
    if (credit) {
      line.fee->by_points = -line.fee->by_points;
      line.fee->by_amount = -line.fee->by_amount;
      line.fee->by_windows = -line.fee->by_windows;
    }
  }
  line.text =
      LineText(settled, invoice.settled, terms, invoice.currency, document.currency_exponent);
  if (credit) line.text = absl::StrCat("Taken back: ", line.text);
  return line;
}

InvoiceDocumentTax TaxOf(const InvoiceDocument& document, const TaxSum& sum) {
  const std::string base = Money(document, sum.base);
  if (sum.code.empty()) return {sum, absl::StrCat("Not taxed: ", base)};
  std::string text = absl::StrCat(PercentText(sum.ppm), " of ", base);
  const absl::StatusOr<MinorUnits> simple = netting::ShareOfAmount(sum.base, sum.ppm);
  if (!simple.ok() || *simple != sum.tax) {
    absl::StrAppend(&text, sum.lines == 1
                               ? ", rounded over all that was billed so far"
                               : ", rounded line by line over all that was billed so far");
  }
  return {sum, text};
}

void AddFact(std::string& html, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  absl::StrAppend(&html, "<tr><td>", ToAbsl(name), "</td><td>", EscapeHtml(text), "</td></tr>\n");
}

std::string PartyCell(const char* role, const InvoiceParty& party) {
  std::string html =
      absl::StrCat("<td><small>", role, "</small><br><b>", EscapeHtml(party.name), "</b>");
  if (!party.registration_number.empty()) {
    absl::StrAppend(&html, "<br>Registration number ", EscapeHtml(party.registration_number));
  }
  if (!party.tax_id.empty()) absl::StrAppend(&html, "<br>Tax id ", EscapeHtml(party.tax_id));
  return html + "</td>";
}

const char* TitleOf(InvoiceKind kind) {
  switch (kind) {
    case InvoiceKind::kCreditNote:
      return "Credit note ";
    case InvoiceKind::kSelfBilled:
      return "Self-billed invoice ";
    case InvoiceKind::kInvoice:
      break;
  }
  return "Invoice ";
}

void AddLines(std::string& html, const InvoiceDocument& document) {
  absl::StrAppend(&html,
                  "<table>\n<tr><th>Line</th><th>For</th><th class=\"n\">Points</th><th>Tax</th>"
                  "<th class=\"n\">Tax amount</th><th class=\"n\">Amount</th></tr>\n");
  for (const InvoiceDocumentLine& line : document.lines) {
    const netting::Line& bill = line.line.bill;
    absl::StrAppend(&html, "<tr><td>", line.number, "</td><td>", EscapeHtml(line.text));
    if (!line.rounding.empty()) {
      absl::StrAppend(&html, "<br><small>", EscapeHtml(line.rounding), "</small>");
    }
    absl::StrAppend(&html, "</td><td class=\"n\">", Grouped(absl::StrCat(bill.points.value())),
                    "</td><td>", EscapeHtml(bill.tax_code), "</td><td class=\"n\">",
                    Money(document, bill.tax));
    absl::StrAppend(&html, "</td><td class=\"n\">", Money(document, bill.amount), "</td></tr>\n");
  }
}

void AddSum(std::string& html, std::string_view name, std::string_view text,
            const std::string& amount, bool strong) {
  absl::StrAppend(&html, strong ? "<tr class=\"sum\">" : "<tr>", "<td></td><td colspan=\"4\">",
                  EscapeHtml(absl::StrCat(ToAbsl(name), ToAbsl(text))), "</td><td class=\"n\">",
                  amount, "</td></tr>\n");
}

}  // namespace

InvoiceDocument MakeInvoiceDocument(Invoice invoice, int currency_exponent,
                                    const absl::TimeZone& time_zone,
                                    absl::FunctionRef<const netting::Terms&(ContractId)> terms_of) {
  InvoiceDocument document;
  document.invoice = std::move(invoice);
  document.currency_exponent = currency_exponent;
  document.time_zone = time_zone;
  const Invoice& issued = document.invoice;
  const bool partner_sells =
      !issued.lines.empty() && KindOf(issued.lines.front().bill.leg) == InvoiceKind::kSelfBilled;
  document.seller = partner_sells ? issued.partner_party : issued.operator_party;
  document.buyer = partner_sells ? issued.operator_party : issued.partner_party;
  if (issued.payment) document.payment_reference = EndToEndId(issued.settlement, issued.partner);
  document.terms = TermsText(document);
  std::vector<Line> shown;
  for (const Line& line : issued.lines) {
    const auto number = static_cast<int>(document.lines.size()) + 1;
    document.lines.push_back(LineOf(document, line, number, terms_of(line.bill.contract)));
    shown.push_back(document.lines.back().line);
  }
  for (const TaxSum& sum : SumTaxes(shown)) document.taxes.push_back(TaxOf(document, sum));
  return document;
}

std::string InvoiceHtml(const InvoiceDocument& document) {
  const Invoice& invoice = document.invoice;
  const std::string title = absl::StrCat(TitleOf(invoice.kind), invoice.number);
  std::string html = absl::StrCat("<h1>", EscapeHtml(title), "</h1>\n<table>\n<tr>",
                                  PartyCell("Seller", document.seller),
                                  PartyCell("Buyer", document.buyer), "</tr>\n</table>\n<table>\n");
  AddFact(html, "Issued", DayOf(document, invoice.issued_at));
  if (invoice.kind == InvoiceKind::kSelfBilled) {
    AddFact(html, "Issued by", "the buyer, in the seller's name");
  }
  AddFact(html, "Credits invoice", invoice.credited);
  AddFact(html, "Period",
          absl::StrCat(DayOf(document, invoice.start), " to ",
                       DayOf(document, invoice.end - Timestamp(1))));
  AddFact(html, "Settlement", SettlementName(invoice.settlement));
  if (invoice.payment) AddFact(html, "Due", DueDay(document));
  AddFact(html, "Payment reference", document.payment_reference);
  absl::StrAppend(&html, "</table>\n<h2>Lines</h2>\n");
  AddLines(html, document);
  AddSum(html, "Net", "", Money(document, invoice.net), true);
  for (const InvoiceDocumentTax& tax : document.taxes) {
    AddSum(html, tax.sum.code.empty() ? "" : absl::StrCat("Tax ", tax.sum.code, ": "), tax.text,
           Money(document, tax.sum.tax), false);
  }
  AddSum(html, "Gross", "", Money(document, invoice.net + invoice.tax), true);
  absl::StrAppend(&html, "</table>\n<p class=\"note\">", EscapeHtml(document.terms), "</p>\n");
  return HtmlPage(absl::StrCat(title, ", ", document.seller.name), html);
}

}  // namespace guilder::settlement
