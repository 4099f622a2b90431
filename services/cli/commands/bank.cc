#include "services/cli/commands/bank.h"

#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/files.h"
#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = settlement::v1;

// What a call carries; a file that is larger is never read.
constexpr uint64_t kMaxFileBytes = 4'000'000;

std::vector<Field> EntryColumns() {
  return {{"NAME", "name"},
          {"DAY", "booking_date"},
          {"IN", "credit"},
          {"AMOUNT", "amount", Show::kMoney},
          {"OUTCOME", "outcome"},
          {"OBLIGATION", "obligation"},
          {"SUSPENSE", "suspense_minor_units", Show::kMoney},
          {"END-TO-END ID", "end_to_end_id"},
          {"WHO", "counterparty_name"},
          {"REMITTANCE", "remittance"},
          {"RETURNED", "return_reason"}};
}

absl::Status Import(Context& context, const std::string& path) {
  v1::ImportBankStatementRequest request;
  v1::ImportBankStatementResponse response;
  GUILDER_ASSIGN_OR_RETURN(*request.mutable_file(), ReadFile(path, kMaxFileBytes));
  GUILDER_RETURN_IF_ERROR(context.Call(request, response, "finance"));
  Output& output = context.output();
  const nlohmann::ordered_json json = ToJson(response);
  if (output.json()) {
    output.Json(json);
    return absl::OkStatus();
  }
  output.Record(json.at("file"), {{"File", "name"},
                                  {"Kind", "kind"},
                                  {"Message", "message_id"},
                                  {"Imported", "import_time", Show::kTime},
                                  {"By", "imported_by"}});
  if (response.imported_before()) output.Text("It was imported before: nothing was posted again.");
  output.List(json.at("entries"), EntryColumns(), "no payments");
  return absl::OkStatus();
}

}  // namespace

void AddBankCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "bank", "What the bank says was paid");
  AddAction(noun, context, "import",
            "Imports a bank's file: a statement (camt.053) or a status report (pain.002)",
            [&context](Arguments& arguments) -> std::function<absl::Status()> {
              const std::string& path = arguments.Text("FILE", "The file", true);
              return [&context, &path] { return Import(context, path); };
            });
  AddVerb<v1::ListBankEntriesRequest, v1::ListBankEntriesResponse>(
      noun, context, "entries", "Lists the payments that the bank told of")
      .NameOption("--file", "parent", "Of this file only", "bankFiles/")
      .As("auditor")
      .ShowList("bank_entries", EntryColumns(), "no payments");
  AddVerb<v1::ListBankEntriesRequest, v1::ListBankEntriesResponse>(
      noun, context, "suspense", "Lists payments that wait for somebody who knows what they pay")
      .As("auditor")
      .Prepare([](google::protobuf::Message& request) {
        static_cast<v1::ListBankEntriesRequest&>(request).set_in_suspense(true);
        return absl::OkStatus();
      })
      .ShowList("bank_entries", EntryColumns(), "nothing is in suspense");
  AddVerb<v1::AllocateSuspenseRequest, v1::AllocateSuspenseResponse>(
      noun, context, "allocate", "Says what a payment in suspense is for")
      .Argument("ENTRY", "entry", "The bank entry: its number", "bankEntries/")
      .Option("--to", "obligation",
              "settlements/N/obligations/PARTNER, or bankEntries/N, which went the other way")
      .Required()
      .Option("--minor-units", "amount_minor_units", "How much; as much as fits without")
      .As("finance")
      .ShowRecord("entry", {{"Name", "name"},
                            {"Outcome", "outcome"},
                            {"Amount", "amount", Show::kMoney},
                            {"Still in suspense", "suspense_minor_units", Show::kMoney}});
}

void AddWriteOffVerbs(CLI::App& noun, Context& context) {
  const std::vector<Field> fields = {{"Obligation", "obligation"},
                                     {"Amount", "amount", Show::kMoney},
                                     {"Note", "note"},
                                     {"Proposed by", "proposed_by"},
                                     {"Approved by", "approved_by"},
                                     {"Etag, for who approves", "etag"}};
  AddVerb<v1::GetAgeingRequest, v1::GetAgeingResponse>(
      noun, context, "ageing", "Shows what partners owe, by how long it is due")
      .As("auditor")
      .Show([&context](const google::protobuf::Message& response) {
        context.output().List(ToJson(response).at("lines"),
                              {{"PARTNER", "partner"},
                               {"CURRENCY", "currency_code"},
                               {"NOT DUE", "not_due_minor_units", Show::kMoney},
                               {"1-30 DAYS", "days_1_to_30_minor_units", Show::kMoney},
                               {"31-60", "days_31_to_60_minor_units", Show::kMoney},
                               {"61-90", "days_61_to_90_minor_units", Show::kMoney},
                               {"OVER 90", "days_over_90_minor_units", Show::kMoney},
                               {"DISPUTED", "disputed_minor_units", Show::kMoney},
                               {"TOTAL", "total_minor_units", Show::kMoney},
                               {"OLDEST DUE", "oldest_due_time", Show::kTime}},
                              "nobody owes anything");
        return absl::OkStatus();
      });
  AddVerb<v1::ProposeWriteOffRequest, v1::ProposeWriteOffResponse>(
      noun, context, "write-off", "Proposes to give up what is open of an obligation")
      .Argument("OBLIGATION", "obligation", "settlements/N/obligations/PARTNER", "settlements/")
      .Option("--note", "note", "Why")
      .Required()
      .As("finance")
      .ShowRecord("write_off", fields);
  AddVerb<v1::ApproveWriteOffRequest, v1::ApproveWriteOffResponse>(
      noun, context, "approve-write-off", "Approves a write-off that somebody else proposed")
      .Argument("OBLIGATION", "obligation", "settlements/N/obligations/PARTNER", "settlements/")
      .Option("--etag", "etag", "Only if it is still what was read")
      .As("finance_approver")
      .ShowRecord("write_off", fields);
}

}  // namespace guilder::cli
