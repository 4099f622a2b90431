#include <nlohmann/json.hpp>

#include "guilder/settlement/v1/settlement_service.pb.h"

#include "services/cli/commands.h"
#include "services/cli/commands/settlement_tables.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = settlement::v1;
using google::protobuf::Message;

absl::Status ShowStatement(Output& output, const v1::GetPartnerStatementResponse& response) {
  if (output.json()) {
    output.Json(ToJson(response));
    return absl::OkStatus();
  }
  const std::string& currency = response.currency_code();
  Table nets = NetTable();
  AddNet(nets, response.net(), currency);
  output.Print(nets);
  output.Print(LineTable(response.lines(), currency));
  if (response.has_obligation()) {
    output.Record(ToJson(response.obligation()), {{"Obligation", "name"},
                                                  {"Partner is paid", "partner_is_paid"},
                                                  {"Amount", "amount", Show::kMoney},
                                                  {"State", "state"},
                                                  {"End-to-end id", "end_to_end_id"}});
  }
  if (response.has_balance()) {
    const v1::StatementBalance& balance = response.balance();
    Table account({{"OPENING", Align::kRight},
                   {"PAID SINCE", Align::kRight},
                   {"CREDITED", Align::kRight},
                   {"LOSSES", Align::kRight},
                   {"NET", Align::kRight},
                   {"CLOSING", Align::kRight}});
    account.AddRow({MoneyText(balance.opening_minor_units(), currency),
                    MoneyText(balance.payments_minor_units(), currency),
                    MoneyText(balance.credits_minor_units(), currency),
                    MoneyText(balance.losses_minor_units(), currency),
                    MoneyText(balance.net_minor_units(), currency),
                    MoneyText(balance.closing_minor_units(), currency)});
    output.Print(account);
  }
  for (const v1::Invoice& invoice : response.invoices()) output.Text(invoice.name());
  return absl::OkStatus();
}

}  // namespace

void AddStatementCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "statement", "What one partner has to do with a settlement");
  AddVerb<v1::GetPartnerStatementRequest, v1::GetPartnerStatementResponse>(
      noun, context, "show", "Shows a partner's net, lines, obligation and invoices")
      .Argument("SETTLEMENT", "settlement", "The settlement: its number", "settlements/")
      .Argument("PARTNER", "partner", "The partner", "partners/")
      .As("auditor")
      .Show([&context](const Message& response) {
        return ShowStatement(context.output(),
                             static_cast<const v1::GetPartnerStatementResponse&>(response));
      });
}

}  // namespace guilder::cli
