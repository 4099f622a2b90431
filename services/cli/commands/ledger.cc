#include <algorithm>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/operator/v1/operator_service.pb.h"

#include "services/cli/commands.h"
#include "services/cli/commands/ledger_money.h"
#include "services/cli/commands/ledger_verify.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/output/printable.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = operator_::v1;
using google::protobuf::Message;

Table BalanceTable(const google::protobuf::RepeatedPtrField<v1::TrialBalanceLine>& lines,
                   std::string (*text)(int64_t)) {
  Table table({{"ACCOUNT"}, {"DEBIT", Align::kRight}, {"CREDIT", Align::kRight}});
  int64_t debit = 0;
  int64_t credit = 0;
  for (const v1::TrialBalanceLine& line : lines) {
    table.AddRow({line.account(), text(line.debit()), text(line.credit())});
    debit += line.debit();
    credit += line.credit();
  }
  table.AddRule();
  table.AddRow({"sum", text(debit), text(credit)});
  return table;
}

absl::Status ShowTrialBalance(Output& output, const v1::GetTrialBalanceResponse& response) {
  if (output.json()) {
    output.Json(ToJson(response));
    return absl::OkStatus();
  }
  output.Heading("Points");
  output.Print(BalanceTable(response.points(), WithThousands));
  output.Heading("Money");
  output.Print(BalanceTable(response.money(), [](int64_t units) { return MoneyText(units, ""); }));
  return absl::OkStatus();
}

}  // namespace

void AddLedgerCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "ledger", "The books and their proof");
  AddAction(
      noun, context, "verify", "Proves that the books are right, while they are written",
      [&context](Arguments& arguments) -> std::function<absl::Status()> {
        const VerifyFlags flags{
            arguments.Text("--dsn",
                           "Reads this database itself, instead of asking the operator service"),
            arguments.Text("--jobs", "With --dsn: books that are proved at once (1)"),
            arguments.Text("--state", "Keeps what was proved in this file, for --since-last"),
            arguments.Flag("--since-last",
                           "Proves only what came after the verification that left --state "
                           "(guilder-verified.state)")};
        return [&context, flags] { return VerifyLedger(context, flags); };
      });
  AddVerb<v1::GetTrialBalanceRequest, v1::GetTrialBalanceResponse>(
      noun, context, "trial-balance", "Shows the balance of every account, in points and in money")
      .As("auditor")
      .Show([&context](const Message& response) {
        return ShowTrialBalance(context.output(),
                                static_cast<const v1::GetTrialBalanceResponse&>(response));
      });
  AddBalanceSheetCommand(noun, context);
}

void AddExplainCommand(CLI::App& app, Context& context) {
  AddVerb<v1::ExplainRequest, v1::ExplainResponse>(app, context, "explain",
                                                   "Walks from any id to where it comes from")
      .Argument("NAME", "name", "Any name or id that a command has shown")
      .As("auditor")
      .Show([&context](const Message& message) {
        const auto& response = static_cast<const v1::ExplainResponse&>(message);
        Output& output = context.output();
        output.Json(ToJson(response));
        for (const v1::ExplanationStep& step : response.steps()) {
          const std::string indent(2 * static_cast<size_t>(std::max(0, step.depth())), ' ');
          output.Text(Printable(absl::StrCat(indent, step.kind(), " ", step.name(),
                                             step.text().empty() ? "" : ": ", step.text())));
        }
        return absl::OkStatus();
      });
}

}  // namespace guilder::cli
