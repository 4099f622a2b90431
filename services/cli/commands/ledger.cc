#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/operator/v1/operator_service.pb.h"

#include "libs/base/status_macros.h"
#include "libs/ledger/store/verify.h"
#include "libs/postgres/pool.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/output/progress.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = operator_::v1;
using google::protobuf::Message;

void ShowChecks(Output& output, const v1::VerifyLedgerResponse& result) {
  if (output.json()) {
    nlohmann::ordered_json json = ToJson(result);
    json.erase("done");
    return output.Json(json);
  }
  Table table({{"CHECK"}, {"OK"}, {"EXAMINED", Align::kRight}, {"FIRST FAILURE"}});
  for (const v1::LedgerCheck& check : result.checks()) {
    table.AddRow({check.name(), check.ok() ? "yes" : "NO", WithThousands(check.examined()),
                  check.first_failure()});
  }
  output.Print(table);
  output.Text(absl::StrCat(WithThousands(result.records_total()),
                           " records: ", result.ok() ? "everything holds" : "SOMETHING IS WRONG"));
}

// Advances a bar on a terminal by what each message tells.
class VerifyProgressBar {
 public:
  explicit VerifyProgressBar(Context& context) : context_(context) {}

  void Show(int64_t done, int64_t total) {
    if (bar_ == nullptr) {
      bar_ = std::make_unique<ProgressBar>(std::cerr, context_.error_terminal(), "Records", total);
    }
    bar_->Advance(done - done_);
    done_ = done;
  }

 private:
  Context& context_;
  std::unique_ptr<ProgressBar> bar_;
  int64_t done_ = 0;
};

absl::StatusOr<v1::VerifyLedgerResponse> VerifyByService(Context& context) {
  std::vector<std::unique_ptr<Message>> requests;
  requests.push_back(std::make_unique<v1::VerifyLedgerRequest>());
  v1::VerifyLedgerResponse response;
  VerifyProgressBar bar(context);
  // Reads the whole journal: the default limit is for calls that answer at once.
  context.flags().timeout_seconds = std::max(context.flags().timeout_seconds, 3600);
  GUILDER_RETURN_IF_ERROR(context.Stream(requests, response, "auditor", [&] {
    bar.Show(response.records_done(), response.records_total());
  }));
  if (!response.done()) return absl::UnavailableError("the verification ended without a result");
  return response;
}

// Without any service: what an auditor does with a copy of the database.
absl::StatusOr<v1::VerifyLedgerResponse> VerifyDatabase(Context& context, const std::string& dsn) {
  postgres::Pool pool(dsn, 1);
  VerifyProgressBar bar(context);
  GUILDER_ASSIGN_OR_RETURN(const ledger::VerifyReport report,
                           ledger::Verify(pool, {}, [&](const ledger::VerifyProgress& progress) {
                             bar.Show(progress.records_done, progress.records_total);
                             return true;
                           }));
  v1::VerifyLedgerResponse response;
  response.set_records_done(report.records);
  response.set_records_total(report.records);
  response.set_ok(report.ok);
  for (const ledger::VerifyCheck& check : report.checks) {
    v1::LedgerCheck& added = *response.add_checks();
    added.set_name(check.name);
    added.set_ok(check.ok);
    added.set_examined(check.examined);
    added.set_first_failure(check.first_failure);
  }
  return response;
}

absl::Status Verify(Context& context, const std::string& dsn) {
  GUILDER_ASSIGN_OR_RETURN(const v1::VerifyLedgerResponse result,
                           dsn.empty() ? VerifyByService(context) : VerifyDatabase(context, dsn));
  ShowChecks(context.output(), result);
  if (result.ok()) return absl::OkStatus();
  return absl::AbortedError("the books do not hold; stop and compare with a backup");
}

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
  AddAction(noun, context, "verify", "Proves that the books are right, while they are written",
            [&context](Arguments& arguments) -> std::function<absl::Status()> {
              const std::string& dsn = arguments.Text(
                  "--dsn", "Reads this database itself, instead of asking the operator service");
              return [&context, &dsn] { return Verify(context, dsn); };
            });
  AddVerb<v1::GetTrialBalanceRequest, v1::GetTrialBalanceResponse>(
      noun, context, "trial-balance", "Shows the balance of every account, in points and in money")
      .As("auditor")
      .Show([&context](const Message& response) {
        return ShowTrialBalance(context.output(),
                                static_cast<const v1::GetTrialBalanceResponse&>(response));
      });
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
          output.Text(absl::StrCat(indent, step.kind(), " ", step.name(),
                                   step.text().empty() ? "" : ": ", step.text()));
        }
        return absl::OkStatus();
      });
}

}  // namespace guilder::cli
