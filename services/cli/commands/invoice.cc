#include <nlohmann/json.hpp>

#include "guilder/settlement/v1/settlement_service.pb.h"

#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = settlement::v1;
using google::protobuf::Message;

void ShowInvoice(Output& output, const v1::Invoice& invoice) {
  output.Record(ToJson(invoice), {{"Name", "name"},
                                  {"Kind", "kind"},
                                  {"Partner", "partner"},
                                  {"Settlement", "settlement"},
                                  {"Issued", "issue_time", Show::kTime}});
  const std::string& currency = invoice.currency_code();
  Table table({{"FOR"},
               {"TEXT"},
               {"POINTS", Align::kRight},
               {"MILLIONTHS A POINT", Align::kRight},
               {"TAX CODE"},
               {"AMOUNT", Align::kRight}});
  for (const v1::InvoiceLine& line : invoice.lines()) {
    table.AddRow({line.settlement_line(), line.text(), WithThousands(line.points()),
                  WithThousands(line.rate_micros()), line.tax_code(),
                  MoneyText(line.amount_minor_units(), currency)});
  }
  table.AddRule();
  table.AddRow({"net", "", "", "", "", MoneyText(invoice.net_minor_units(), currency)});
  for (const v1::InvoiceTax& tax : invoice.taxes()) {
    const std::string rate = FieldText({{"rate", tax.rate_ppm()}}, {"", "rate", Show::kRate});
    table.AddRow({"tax", rate + " of " + MoneyText(tax.base_minor_units(), currency), "", "",
                  tax.code(), MoneyText(tax.tax_minor_units(), currency)});
  }
  table.AddRow({"gross", "", "", "", "", MoneyText(invoice.gross_minor_units(), currency)});
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
}

}  // namespace guilder::cli
