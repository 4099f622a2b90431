#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = settlement::v1;
using google::protobuf::Message;
using Value = nlohmann::ordered_json;

Table RolledForward(const v1::GetLiabilityResponse& liability) {
  Table table({{"CONTRACT"},
               {"ISSUED IN"},
               {"EXPIRE"},
               {"OPENING", Align::kRight},
               {"ISSUED", Align::kRight},
               {"REVERSED", Align::kRight},
               {"REDEEMED", Align::kRight},
               {"EXPIRED", Align::kRight},
               {"ADJUSTED", Align::kRight},
               {"CLOSING", Align::kRight}});
  for (const v1::LiabilityLine& line : liability.lines()) {
    table.AddRow({line.contract(), line.issued_in(),
                  line.expiry_month().empty() ? "never" : line.expiry_month(),
                  WithThousands(line.opening_points()), WithThousands(line.issued_points()),
                  WithThousands(line.reversed_points()), WithThousands(line.redeemed_points()),
                  WithThousands(line.expired_points()), WithThousands(line.adjusted_points()),
                  WithThousands(line.closing_points())});
  }
  table.AddRule();
  table.AddRow({"all", "", "", "", "", "", "", "", "", WithThousands(liability.closing_points())});
  table.AddRow(
      {"by the ledger", "", "", "", "", "", "", "", "", WithThousands(liability.ledger_points())});
  return table;
}

absl::Status ShowLiability(Output& output, const v1::GetLiabilityResponse& liability) {
  output.Json(ToJson(liability));
  if (output.json()) return absl::OkStatus();
  output.Heading(liability.window());
  output.Print(RolledForward(liability));
  Table deferred({{"CONTRACT"},
                  {"OUTSTANDING", Align::kRight},
                  {"NOT BILLED YET", Align::kRight},
                  {"DEFERRED", Align::kRight}});
  for (const v1::DeferredMoney& money : liability.deferred()) {
    deferred.AddRow({money.contract(), WithThousands(money.closing_points()),
                     WithThousands(money.pending_points()),
                     MoneyText(money.deferred_minor_units(), money.currency_code())});
  }
  deferred.AddRule();
  for (const v1::LiabilityTotal& total : liability.totals()) {
    deferred.AddRow({"all", WithThousands(total.closing_points()), "",
                     MoneyText(total.deferred_minor_units(), total.currency_code())});
  }
  output.Print(deferred);
  return absl::OkStatus();
}

// RFC 4180: a cell with a comma, a quote or a line end is quoted.
std::string Cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

// Plain lines whatever the output is: they are for a file.
absl::Status ExportEntries(Context& context, int64_t after) {
  context.output().Text(
      "number,line,post_time,kind,reference,cause,debit_account,debit_partner,credit_account,"
      "credit_partner,currency_code,amount_minor_units");
  v1::ListMoneyEntriesRequest request;
  request.set_after_number(after);
  request.set_page_size(1'000);
  do {
    v1::ListMoneyEntriesResponse response;
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "auditor"));
    for (const v1::MoneyEntry& entry : response.entries()) {
      context.output().Json(ToJson(entry));
      const Value json = ToJson(entry);
      context.output().Text(
          absl::StrCat(entry.number(), ",", entry.line(), ",", json.value("post_time", ""), ",",
                       Cell(entry.kind()), ",", Cell(entry.reference()), ",", Cell(entry.cause()),
                       ",", Cell(entry.debit_account()), ",", Cell(entry.debit_partner()), ",",
                       Cell(entry.credit_account()), ",", Cell(entry.credit_partner()), ",",
                       entry.amount().currency_code(), ",", entry.amount().minor_units()));
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

}  // namespace

void AddLiabilityCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "liability", "What the programme owes for points that are out");
  AddVerb<v1::GetLiabilityRequest, v1::GetLiabilityResponse>(
      noun, context, "show",
      "Shows outstanding points and deferred money, rolled forward through a sealed window")
      .NameOption("--window", "window", "The window; without, the last sealed one", "windows/")
      .As("auditor")
      .Show([&context](const Message& response) {
        return ShowLiability(context.output(),
                             static_cast<const v1::GetLiabilityResponse&>(response));
      });
  AddAction(noun, context, "export",
            "Prints journal lines of money as CSV, for an accounting system",
            [&context](Arguments& arguments) -> std::function<absl::Status()> {
              const std::string& after =
                  arguments.Text("--after", "Only of transactions after this number; all without");
              return [&context, &after]() -> absl::Status {
                int64_t number = 0;
                if (!after.empty() && !absl::SimpleAtoi(after, &number)) {
                  return absl::InvalidArgumentError("--after is a number");
                }
                return ExportEntries(context, number);
              };
            });
}

}  // namespace guilder::cli
