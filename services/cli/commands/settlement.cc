#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/commands/bank.h"
#include "services/cli/commands/documents.h"
#include "services/cli/commands/files.h"
#include "services/cli/commands/settlement_tables.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = settlement::v1;
using google::protobuf::Message;
using Value = nlohmann::ordered_json;

void ShowSettlement(Output& output, const v1::Settlement& settlement, bool lines) {
  Value json = ToJson(settlement);
  // A table has no room for many windows; JSON has all.
  if (!output.json() && settlement.windows_size() > 2) {
    json["windows"] = absl::StrCat(settlement.windows(0), " … ",
                                   settlement.windows(settlement.windows_size() - 1), " (",
                                   settlement.windows_size(), ")");
  }
  output.Record(json, {{"Name", "name"},
                       {"State", "state"},
                       {"Currency", "currency_code"},
                       {"From", "start_time", Show::kTime},
                       {"Until", "end_time", Show::kTime},
                       {"Windows", "windows"},
                       {"Computed by", "computed_by"},
                       {"Approved by", "approved_by"},
                       {"Etag", "etag"}});
  if (output.json()) return;
  const std::string& currency = settlement.currency_code();
  Table nets = NetTable();
  for (const v1::PartnerNet& net : settlement.nets()) AddNet(nets, net, currency);
  nets.AddRule();
  nets.AddRow({"operator pays out", "", "", "", "", "", "", "", "", "", "",
               MoneyText(settlement.operator_net_minor_units(), currency), "", "",
               MoneyText(settlement.due_minor_units(), currency)});
  output.Print(nets);
  if (lines) output.Print(LineTable(settlement.lines(), currency));
}

template <typename Response>
Verb::Finisher Shown(Context& context, bool lines) {
  return [&context, lines](const Message& message) {
    ShowSettlement(context.output(), static_cast<const Response&>(message).settlement(), lines);
    return absl::OkStatus();
  };
}

absl::Status ShowApproved(Output& output, const v1::ApproveSettlementResponse& response) {
  if (output.json()) {
    output.Json(ToJson(response));
    return absl::OkStatus();
  }
  ShowSettlement(output, response.settlement(), /*lines=*/false);
  for (const std::string& invoice : response.invoices()) output.Text(invoice);
  return absl::OkStatus();
}

std::function<absl::Status()> Export(Arguments& arguments, Context& context) {
  const std::string& name = arguments.Text("SETTLEMENT", "The settlement: its number", true);
  const std::string& out =
      arguments.Text("--out", "Where to write the file; under the name that it has without");
  return [&]() -> absl::Status {
    v1::ExportPaymentsRequest request;
    v1::ExportPaymentsResponse response;
    request.set_name(WithPrefix("settlements/", name));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "finance"));
    const std::string path = OutputPath(out, response.file_name());
    GUILDER_RETURN_IF_ERROR(WriteFile(path, response.file()));
    Value shown = ToJson(response);
    shown["file"] = path;
    context.output().Record(shown, {{"File", "file"},
                                    {"Payments", "payments", Show::kNumber},
                                    {"Total", "total", Show::kMoney}});
    return absl::OkStatus();
  };
}

std::vector<Field> ObligationFields() {
  return {{"NAME", "name"},
          {"PARTNER", "partner"},
          {"IS PAID", "partner_is_paid"},
          {"AMOUNT", "amount", Show::kMoney},
          {"STATE", "state"},
          {"PAID", "paid", Show::kMoney},
          {"WRITTEN OFF", "written_off", Show::kMoney},
          {"DUE", "due_time", Show::kTime},
          {"LOSS OF", "loss_owner"},
          {"END-TO-END ID", "end_to_end_id"}};
}

std::vector<Field> PolicyFields() {
  return {{"Days to pay", "payment_days", Show::kNumber},
          {"Partners are paid", "payout"},
          {"Reserve", "reserve", Show::kMoney},
          {"Each window by itself", "settle_each_window"},
          {"Revision", "revision", Show::kNumber},
          {"Changed by", "changed_by"}};
}

// Whoever names no etag approves what the command reads now, and shows.
Verb::Preparer ReadEtag(Context& context) {
  return [&context](Message& message) -> absl::Status {
    auto& request = static_cast<v1::ApproveSettlementRequest&>(message);
    if (!request.etag().empty()) return absl::OkStatus();
    v1::GetSettlementRequest read;
    v1::GetSettlementResponse response;
    read.set_name(request.name());
    GUILDER_RETURN_IF_ERROR(context.Call(read, response, "finance_approver"));
    request.set_etag(response.settlement().etag());
    return absl::OkStatus();
  };
}

// The first one, and the names of those in other currencies.
absl::Status ShowComputed(Output& output, const v1::ComputeSettlementResponse& response) {
  if (output.json()) {
    Value json = ToJson(response.settlement());
    json["settlements"] = ToJson(response)["settlements"];
    output.Json(json);
    return absl::OkStatus();
  }
  ShowSettlement(output, response.settlement(), /*lines=*/false);
  for (const std::string& name : response.settlements()) {
    if (name != response.settlement().name()) output.Text(absl::StrCat("and ", name));
  }
  return absl::OkStatus();
}

void AddPolicyCommands(CLI::App& noun, Context& context) {
  AddVerb<v1::GetSettlementPolicyRequest, v1::GetSettlementPolicyResponse>(
      noun, context, "policy", "Shows how the programme pays and is paid")
      .As("auditor")
      .ShowRecord("policy", PolicyFields());
  AddVerb<v1::UpdateSettlementPolicyRequest, v1::UpdateSettlementPolicyResponse>(
      noun, context, "set-policy", "Changes how the programme pays and is paid")
      .Option("--payment-days", "policy.payment_days", "Days from an approval until money is due")
      .Required()
      .Option("--payout", "policy.payout", "When partners are paid")
      .Required()
      .Option("--reserve", "policy.reserve.minor_units",
              "Minor units that the programme advances, with WHEN_COLLECTED")
      .Switch("--settle-each-window", "policy.settle_each_window",
              "The clearing job computes a settlement of each window")
      .As("finance_approver")
      .ShowRecord("policy", PolicyFields());
}

}  // namespace

void AddSettlementCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "settlement", "What partners and operator owe each other");
  AddVerb<v1::ComputeSettlementRequest, v1::ComputeSettlementResponse>(
      noun, context, "compute", "Computes the settlement of all sealed windows not settled yet")
      .Argument("SETTLEMENT", "name", "Computes this one again: its number", "settlements/")
      .Required(false)
      .As("finance")
      .Show([&context](const Message& response) {
        return ShowComputed(context.output(),
                            static_cast<const v1::ComputeSettlementResponse&>(response));
      });
  AddVerb<v1::ApproveSettlementRequest, v1::ApproveSettlementResponse>(
      noun, context, "approve", "Approves what somebody else computed: it becomes binding")
      .Argument("SETTLEMENT", "name", "The settlement: its number", "settlements/")
      .Option("--etag", "etag", "Of the settlement that was looked at; without, as it is now")
      .As("finance_approver")
      .Prepare(ReadEtag(context))
      .Show([&context](const Message& response) {
        return ShowApproved(context.output(),
                            static_cast<const v1::ApproveSettlementResponse&>(response));
      });
  AddVerb<v1::ListSettlementsRequest, v1::ListSettlementsResponse>(
      noun, context, "list", "Lists settlements, latest first")
      .As("auditor")
      .ShowList("settlements",
                {{"NAME", "name"},
                 {"STATE", "state"},
                 {"FROM", "start_time", Show::kTime},
                 {"UNTIL", "end_time", Show::kTime},
                 {"WINDOWS", "window_count", Show::kNumber},
                 {"CURRENCY", "currency_code"},
                 {"NET", "operator_net_minor_units", Show::kMoney},
                 {"IS DUE", "due_minor_units", Show::kMoney},
                 {"COMPUTED BY", "computed_by"},
                 {"APPROVED BY", "approved_by"}},
                "no settlements");
  AddVerb<v1::GetSettlementRequest, v1::GetSettlementResponse>(
      noun, context, "show", "Shows a settlement with all of its lines")
      .Argument("SETTLEMENT", "name", "The settlement: its number", "settlements/")
      .As("auditor")
      .Show(Shown<v1::GetSettlementResponse>(context, /*lines=*/true));
  AddAction(noun, context, "export", "Writes its payments as a pain.001.001.09 file",
            [&context](Arguments& arguments) { return Export(arguments, context); });
  AddDocumentVerbs(noun, context);
  AddPolicyCommands(noun, context);
}

void AddObligationCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "obligation", "What one side of a settlement has to pay");
  AddVerb<v1::ListObligationsRequest, v1::ListObligationsResponse>(noun, context, "list",
                                                                   "Lists who has to pay whom")
      .NameOption("--settlement", "parent", "Of this settlement only", "settlements/")
      .As("auditor")
      .ShowList("obligations", ObligationFields(), "no obligations");
  AddVerb<v1::DefaultObligationRequest, v1::DefaultObligationResponse>(
      noun, context, "default", "Says that a partner will not pay what is overdue: a loss")
      .Argument("OBLIGATION", "name", "The obligation: SETTLEMENT/obligations/PARTNER",
                "settlements/")
      .NameOption("--loss-owner", "loss_owner", "The partner that bears the loss", "partners/")
      .Required()
      .As("finance_approver")
      .ShowRecord("obligation", ObligationFields());
  AddWriteOffVerbs(noun, context);
}

}  // namespace guilder::cli
