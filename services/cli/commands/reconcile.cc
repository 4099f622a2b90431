#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/settlement/v1/settlement_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/demo/csv.h"
#include "services/cli/messages.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = settlement::v1;
using google::protobuf::Message;

constexpr int kLinesOfPart = 5'000;

// The columns of a view; what does not apply to a line is empty.
const std::vector<std::string_view> kColumns = {"item",          "record",         "store",
                                                "terminal",      "receipt_number", "order_id",
                                                "business_date", "points",         "reference"};

absl::Status BadLine(int64_t number, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", number, ": ", what));
}

absl::StatusOr<v1::ReconciliationLine> ReadLine(const std::vector<std::string>& fields,
                                                const std::string& partner, int64_t number) {
  v1::ReconciliationLine line;
  for (const auto& [path, text] : {std::pair("item", fields[0]), std::pair("points", fields[7])}) {
    if (const absl::Status status = Assign(line, path, text); !status.ok()) {
      return BadLine(number, absl::StrCat(path, ": ", status.message()));
    }
  }
  line.set_reference(fields[8]);
  if (fields[1] == "total") {
    line.set_total(true);
  } else if (!fields[1].empty()) {
    line.set_record(fields[1]);
  } else {
    accrual::v1::ReceiptKey& receipt = *line.mutable_receipt();
    receipt.set_store(absl::StrCat(partner, "/stores/", fields[2]));
    receipt.set_terminal(fields[3]);
    if (!fields[4].empty()) receipt.set_receipt_number(fields[4]);
    if (!fields[5].empty()) receipt.set_order_id(fields[5]);
    receipt.set_business_date(fields[6]);
  }
  return line;
}

absl::StatusOr<std::vector<v1::ReconciliationLine>> ReadLines(const std::string& path,
                                                              const std::string& partner) {
  GUILDER_ASSIGN_OR_RETURN(std::string text, demo::ReadDataFile(path));
  demo::CsvReader reader(std::move(text));
  GUILDER_ASSIGN_OR_RETURN(const std::vector<size_t> places, reader.Header(kColumns));
  std::vector<v1::ReconciliationLine> lines;
  while (const auto* record = reader.Next()) {
    const auto number = static_cast<int64_t>(lines.size()) + 1;
    std::vector<std::string> fields;
    for (const size_t place : places) {
      if (place >= record->size()) return BadLine(number, "it has fewer fields than the header");
      fields.emplace_back((*record)[place]);
    }
    GUILDER_ASSIGN_OR_RETURN(lines.emplace_back(), ReadLine(fields, partner, number));
  }
  return lines;
}

struct SubmitFlags {
  const std::string& file;
  const std::string& partner;
  const std::string& window;
  const std::string& tolerance;
  const std::string& total_tolerance;
  const std::vector<std::string>& complete;
};

absl::StatusOr<v1::ReconciliationHeader> MakeHeader(const SubmitFlags& flags) {
  v1::ReconciliationHeader header;
  header.set_partner(WithPrefix("partners/", flags.partner));
  header.set_window(WithPrefix("windows/", flags.window));
  if (!flags.tolerance.empty()) {
    GUILDER_RETURN_IF_ERROR(Assign(header, "tolerance_points", flags.tolerance));
  }
  if (!flags.total_tolerance.empty()) {
    GUILDER_RETURN_IF_ERROR(Assign(header, "total_tolerance_points", flags.total_tolerance));
  }
  for (const std::string& item : flags.complete) {
    GUILDER_RETURN_IF_ERROR(Assign(header, "complete_items", item));
  }
  return header;
}

std::vector<Field> ReconciliationFields() {
  return {{"Name", "name"},
          {"Partner", "partner"},
          {"Window", "window"},
          {"Submitted", "submit_time", Show::kTime},
          {"Submitted by", "submitted_by"},
          {"Lines", "lines", Show::kNumber},
          {"Matched", "matched", Show::kNumber},
          {"Missing here", "missing_here", Show::kNumber},
          {"Missing there", "missing_there", Show::kNumber},
          {"Points differ", "amount_differs", Show::kNumber},
          {"Duplicates", "duplicates", Show::kNumber},
          {"Breaks cleared", "cleared", Show::kNumber}};
}

absl::Status Submit(Context& context, const SubmitFlags& flags) {
  GUILDER_ASSIGN_OR_RETURN(v1::ReconciliationHeader header, MakeHeader(flags));
  GUILDER_ASSIGN_OR_RETURN(const std::vector<v1::ReconciliationLine> lines,
                           ReadLines(flags.file, header.partner()));
  header.set_line_count(static_cast<int64_t>(lines.size()));

  std::vector<std::unique_ptr<Message>> requests;
  auto first = std::make_unique<v1::SubmitReconciliationRequest>();
  *first->mutable_header() = header;
  requests.push_back(std::move(first));
  for (size_t begin = 0; begin < lines.size(); begin += kLinesOfPart) {
    auto part = std::make_unique<v1::SubmitReconciliationRequest>();
    const size_t end = std::min(begin + kLinesOfPart, lines.size());
    for (size_t i = begin; i < end; ++i) *part->mutable_lines()->add_lines() = lines[i];
    requests.push_back(std::move(part));
  }
  v1::SubmitReconciliationResponse response;
  GUILDER_RETURN_IF_ERROR(context.Stream(requests, response, flags.partner, [] {}));
  context.output().Record(ToJson(response.reconciliation()), ReconciliationFields());
  return absl::OkStatus();
}

std::vector<Field> BreakFields() {
  return {{"Name", "name"},
          {"Partner", "partner"},
          {"Window", "window"},
          {"Kind", "kind"},
          {"Item", "item"},
          {"Subject", "subject"},
          {"Points here", "points_here", Show::kNumber},
          {"Points there", "points_there", Show::kNumber},
          {"State", "state"},
          {"Owner", "owner"},
          {"Open since", "open_time", Show::kTime},
          {"Resolution", "resolution"},
          {"Put right by", "fix"},
          {"Note", "note"}};
}

void AddBreakVerbs(CLI::App& noun, Context& context) {
  AddVerb<v1::ListBreaksRequest, v1::ListBreaksResponse>(
      noun, context, "breaks", "Lists what is different and not dealt with, oldest first")
      .NameOption("--partner", "parent", "Of this partner only", "partners/")
      .NameOption("--window", "window", "Of this window only", "windows/")
      .Switch("--all", "include_resolved", "What is dealt with, too")
      .As("auditor")
      .ShowList("breaks",
                {{"NAME", "name"},
                 {"PARTNER", "partner"},
                 {"KIND", "kind"},
                 {"ITEM", "item"},
                 {"SUBJECT", "subject"},
                 {"HERE", "points_here", Show::kNumber},
                 {"THERE", "points_there", Show::kNumber},
                 {"STATE", "state"},
                 {"OWNER", "owner"},
                 {"DAYS", "age_days", Show::kNumber}},
                "no breaks");
  AddVerb<v1::AssignBreakRequest, v1::AssignBreakResponse>(noun, context, "assign",
                                                           "Gives a break to an operator")
      .Argument("BREAK", "name", "The break: its number", "breaks/")
      .NameOption("--owner", "owner", "Who looks after it", "operators/")
      .Required()
      .As("finance")
      .ShowRecord("break", BreakFields());
  AddVerb<v1::ResolveBreakRequest, v1::ResolveBreakResponse>(noun, context, "resolve",
                                                             "Closes a break")
      .Argument("BREAK", "name", "The break: its number", "breaks/")
      .Option("--note", "note", "Why it is right now")
      .Required()
      .Option("--record", "record", "The later record that puts it right")
      .NameOption("--line", "line", "The line that is credited for it", "settlements/")
      .Option("--minor-units", "credited_minor_units", "How much is credited")
      .As("finance_approver")
      .ShowRecord("break", BreakFields());
}

}  // namespace

void AddReconcileCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "reconcile", "A partner's own books against these");
  AddAction(
      noun, context, "submit", "Compares a partner's view of a sealed window, from a CSV file",
      [&context](Arguments& arguments) -> std::function<absl::Status()> {
        const SubmitFlags flags{
            arguments.Text("FILE",
                           "Columns item (purchase, return, capture, refund), record (a name, "
                           "or \"total\"), store, terminal, receipt_number, order_id, "
                           "business_date, points, reference",
                           true),
            arguments.Text("--partner", "Whose view it is", true),
            arguments.Text("--window", "The window: its start in UTC", true),
            arguments.Text("--tolerance", "Points by which a line may differ (0)"),
            arguments.Text("--total-tolerance", "Points by which a total may differ (0)"),
            arguments.Texts("--complete", "Items of which these lines are all")};
        return [&context, flags] { return Submit(context, flags); };
      });
  AddVerb<v1::GetReconciliationRequest, v1::GetReconciliationResponse>(
      noun, context, "show", "Shows what a comparison found")
      .Argument("RECONCILIATION", "name", "The reconciliation: its number", "reconciliations/")
      .As("auditor")
      .ShowRecord("reconciliation", ReconciliationFields());
  AddBreakVerbs(noun, context);
}

}  // namespace guilder::cli
