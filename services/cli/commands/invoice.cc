#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "services/cli/commands.h"
#include "services/cli/commands/documents.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = settlement::v1;
using google::protobuf::Message;

std::string PartyText(const v1::InvoiceParty& party) {
  std::string text = party.legal_name();
  if (!party.registration_number().empty()) {
    absl::StrAppend(&text, ", registration number ", party.registration_number());
  }
  if (!party.tax_id().empty()) absl::StrAppend(&text, ", tax id ", party.tax_id());
  return text;
}

void ShowInvoice(Output& output, const v1::Invoice& invoice) {
  nlohmann::ordered_json json = ToJson(invoice);
  if (output.json()) return output.Json(json);
  json["seller"] = PartyText(invoice.seller());
  json["buyer"] = PartyText(invoice.buyer());
  output.Record(json, {{"Name", "name"},
                       {"Kind", "kind"},
                       {"Credits", "credited_invoice"},
                       {"Seller", "seller"},
                       {"Buyer", "buyer"},
                       {"Issued", "issue_time", Show::kTime},
                       {"From", "period_start_time", Show::kTime},
                       {"Until", "period_end_time", Show::kTime},
                       {"Settlement", "settlement"},
                       {"Due", "due_time", Show::kTime},
                       {"Payment reference", "payment_reference"},
                       {"Payment", "payment_terms"}});
  const std::string& currency = invoice.currency_code();
  Table table({{"LINE", Align::kRight},
               {"FOR"},
               {"TEXT"},
               {"POINTS", Align::kRight},
               {"TAX CODE"},
               {"AMOUNT", Align::kRight}});
  for (const v1::InvoiceLine& line : invoice.lines()) {
    table.AddRow({absl::StrCat(line.number()), line.settlement_line(), line.text(),
                  WithThousands(line.points()), line.tax_code(),
                  MoneyText(line.amount_minor_units(), currency)});
    if (!line.rounding_text().empty()) table.AddRow({"", "", line.rounding_text(), "", "", ""});
  }
  table.AddRule();
  table.AddRow({"", "net", "", "", "", MoneyText(invoice.net_minor_units(), currency)});
  for (const v1::InvoiceTax& tax : invoice.taxes()) {
    table.AddRow(
        {"", "tax", tax.text(), "", tax.code(), MoneyText(tax.tax_minor_units(), currency)});
  }
  table.AddRow({"", "gross", "", "", "", MoneyText(invoice.gross_minor_units(), currency)});
  output.Print(table);
}

}  // namespace

void AddInvoiceCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "invoice", "Invoices and self-billed invoices");
  AddVerb<v1::ListInvoicesRequest, v1::ListInvoicesResponse>(noun, context, "list",
                                                             "Lists invoices by number")
      .NameOption("--settlement", "settlement", "Of this settlement only", "settlements/")
      .NameOption("--partner", "partner", "Of this partner only", "partners/")
      .As("auditor")
      .ShowList("invoices",
                {{"NAME", "name"},
                 {"KIND", "kind"},
                 {"PARTNER", "partner"},
                 {"SETTLEMENT", "settlement"},
                 {"CREDITS", "credited_invoice"},
                 {"ISSUED", "issue_time", Show::kTime},
                 {"CURRENCY", "currency_code"},
                 {"NET", "net_minor_units", Show::kMoney},
                 {"TAX", "tax_minor_units", Show::kMoney},
                 {"PAYMENT REFERENCE", "payment_reference"}},
                "no invoices");
  AddVerb<v1::GetInvoiceRequest, v1::GetInvoiceResponse>(noun, context, "show", "Shows an invoice")
      .Argument("INVOICE", "name", "The invoice: its number", "invoices/")
      .As("auditor")
      .Show([&context](const Message& response) {
        ShowInvoice(context.output(),
                    static_cast<const v1::GetInvoiceResponse&>(response).invoice());
        return absl::OkStatus();
      });
  AddInvoiceDocument(noun, context);
}

}  // namespace guilder::cli
