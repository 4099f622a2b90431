#include "services/settlement/domain/statement_document.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "services/settlement/domain/html.h"

namespace guilder::settlement {
namespace {

std::string Amount(const Statement& statement, MinorUnits amount) {
  return FormatAmount(amount, statement.currency_exponent);
}

std::string Shown(const Statement& statement, MinorUnits amount) {
  return Grouped(Amount(statement, amount));
}

std::string DayOf(const Statement& statement, Timestamp at) {
  return absl::FormatTime("%Y-%m-%d", ToAbslTime(at), statement.time_zone);
}

// The last day of the settlement's last window.
std::string LastDay(const Statement& statement) {
  return DayOf(statement, statement.settlement.end - Timestamp(1));
}

struct Figure {
  const char* name;
  const char* text;
  MinorUnits amount;
};

// What the net is made of, from the partner's point of view.
std::vector<Figure> Figures(const Statement& statement) {
  const Net& net = statement.net;
  return {{"issuance", "For points issued, less reversed", -net.issuance},
          {"reimbursement", "Reimbursed for points redeemed", net.reimbursement},
          {"point_blocks", "For points bought in advance", -net.point_blocks},
          {"reserve", "Kept in reserve", -net.reserve},
          {"breakage", "Share of expired points", net.breakage},
          {"fees", "Fees", -net.fee},
          {"tax", "Tax", -net.tax},
          {"net", "Net of this settlement", net.net},
          {"carried_in", "Carried forward and credited before", net.carried_in},
          {"carried_out", "Carried forward to the next", -net.carried_out}};
}

std::vector<Figure> BalanceFigures(const StatementBalance& balance) {
  return {{"opening", "Opening balance", balance.opening},
          {"payments", "Paid since, less what was paid out", balance.payments},
          {"credits", "Credit notes since", balance.credits},
          {"losses", "Given up as a loss since, less what was paid of it", balance.losses},
          {"settled", "Net of this settlement", balance.net},
          {"closing", "Closing balance", balance.closing}};
}

struct PointFigure {
  const char* name;
  const char* text;
  Points points;
};

std::vector<PointFigure> PointFigures(const Net& net) {
  return {{"issued", "Points issued", net.issued},
          {"reversed", "Points reversed", net.reversed},
          {"redeemed", "Points redeemed, less refunds", net.redeemed}};
}

void AddRow(std::string& html, const std::string& text, const std::string& number,
            bool sum = false) {
  absl::StrAppend(&html, sum ? "<tr class=\"sum\"><td>" : "<tr><td>", EscapeHtml(text),
                  "</td><td class=\"n\">", EscapeHtml(number), "</td></tr>\n");
}

void AddBalance(std::string& html, const Statement& statement) {
  if (!statement.balance) return;
  absl::StrAppend(&html, "<h2>Account</h2>\n<table>\n");
  for (const Figure& figure : BalanceFigures(*statement.balance)) {
    AddRow(html, figure.text, Shown(statement, figure.amount),
           std::string_view(figure.name) == "closing");
  }
  absl::StrAppend(&html,
                  "</table>\n<p class=\"note\">Above zero: ", EscapeHtml(statement.operator_name),
                  " owes ", EscapeHtml(statement.partner_name), ".</p>\n");
}

void AddLines(std::string& html, const Statement& statement) {
  absl::StrAppend(&html,
                  "<h2>Lines</h2>\n<table>\n<tr><th>Line</th><th>For</th><th>Contract</th>"
                  "<th class=\"n\">Points</th><th class=\"n\">Amount</th><th>Tax</th>"
                  "<th class=\"n\">Tax amount</th></tr>\n");
  for (const StatementLine& line : statement.lines) {
    const netting::Line& bill = line.line.bill;
    absl::StrAppend(&html, "<tr><td>", line.line.number, "</td><td>", EscapeHtml(line.text),
                    "</td><td>", EscapeHtml(line.contract), "</td><td class=\"n\">",
                    Grouped(absl::StrCat(bill.points.value())), "</td><td class=\"n\">",
                    Shown(statement, bill.amount));
    absl::StrAppend(&html, "</td><td>", EscapeHtml(bill.tax_code), "</td><td class=\"n\">",
                    Shown(statement, bill.tax), "</td></tr>\n");
  }
  absl::StrAppend(&html, "</table>\n");
}

void AddInvoices(std::string& html, const Statement& statement) {
  if (statement.invoices.empty()) return;
  absl::StrAppend(
      &html,
      "<h2>Documents</h2>\n<table>\n<tr><th>Number</th><th>Kind</th><th>Credits</th>"
      "<th class=\"n\">Net</th><th class=\"n\">Tax</th><th class=\"n\">Gross</th></tr>\n");
  for (const StatementInvoice& invoice : statement.invoices) {
    absl::StrAppend(&html, "<tr><td>", EscapeHtml(invoice.number), "</td><td>",
                    EscapeHtml(invoice.kind), "</td><td>", EscapeHtml(invoice.credits),
                    "</td><td class=\"n\">", Shown(statement, invoice.net), "</td><td class=\"n\">",
                    Shown(statement, invoice.tax), "</td>");
    absl::StrAppend(&html, "<td class=\"n\">", Shown(statement, invoice.net + invoice.tax),
                    "</td></tr>\n");
  }
  absl::StrAppend(&html, "</table>\n");
}

}  // namespace

std::string StatementCsv(const Statement& statement) {
  const std::string settlement = absl::StrCat("settlements/", statement.settlement.id.value());
  std::string csv =
      "row,settlement,partner,from,to,text,contract,points,amount,tax_code,tax,currency\r\n";
  const std::string head =
      absl::StrCat(",", settlement, ",", CsvField(statement.partner_slug), ",",
                   DayOf(statement, statement.settlement.start), ",", LastDay(statement), ",");
  const std::string tail = absl::StrCat(",", FormatCurrency(statement.settlement.currency), "\r\n");
  for (const PointFigure& figure : PointFigures(statement.net)) {
    absl::StrAppend(&csv, figure.name, head, CsvField(figure.text), ",,", figure.points.value(),
                    ",,,", tail);
  }
  std::vector<Figure> figures = Figures(statement);
  if (statement.balance) {
    for (const Figure& figure : BalanceFigures(*statement.balance)) figures.push_back(figure);
  }
  for (const Figure& figure : figures) {
    absl::StrAppend(&csv, figure.name, head, CsvField(figure.text), ",,,",
                    Amount(statement, figure.amount), ",,", tail);
  }
  for (const StatementLine& line : statement.lines) {
    const netting::Line& bill = line.line.bill;
    absl::StrAppend(&csv, "line", head, CsvField(line.text), ",", CsvField(line.contract), ",",
                    bill.points.value(), ",");
    absl::StrAppend(&csv, Amount(statement, bill.amount), ",", CsvField(bill.tax_code), ",",
                    Amount(statement, bill.tax), tail);
  }
  for (const StatementInvoice& invoice : statement.invoices) {
    std::string text = absl::StrCat(invoice.kind, " ", invoice.number);
    if (!invoice.credits.empty()) absl::StrAppend(&text, " for ", invoice.credits);
    absl::StrAppend(&csv, "document", head, CsvField(text), ",,,", Amount(statement, invoice.net),
                    ",,", Amount(statement, invoice.tax), tail);
  }
  return csv;
}

std::string StatementHtml(const Statement& statement) {
  const std::string title =
      absl::StrCat("Statement of settlement ", statement.settlement.id.value());
  std::string html =
      absl::StrCat("<h1>", title, "</h1>\n<p>", EscapeHtml(statement.partner_name), " (",
                   EscapeHtml(statement.partner_slug), ")</p>\n<p class=\"note\">",
                   DayOf(statement, statement.settlement.start), " to ", LastDay(statement),
                   ", in ", FormatCurrency(statement.settlement.currency), ". From ",
                   EscapeHtml(statement.operator_name), ".");
  if (!statement.balance) absl::StrAppend(&html, " Not approved yet: it may change.");
  absl::StrAppend(&html, "</p>\n<h2>Points</h2>\n<table>\n");
  for (const PointFigure& figure : PointFigures(statement.net)) {
    AddRow(html, figure.text, Grouped(absl::StrCat(figure.points.value())));
  }
  absl::StrAppend(&html, "</table>\n<h2>Money</h2>\n<table>\n");
  for (const Figure& figure : Figures(statement)) {
    AddRow(html, figure.text, Shown(statement, figure.amount),
           std::string_view(figure.name) == "net");
  }
  absl::StrAppend(&html, "</table>\n");
  AddBalance(html, statement);
  AddLines(html, statement);
  AddInvoices(html, statement);
  return HtmlPage(absl::StrCat(title, ", ", statement.partner_name), html);
}

}  // namespace guilder::settlement
