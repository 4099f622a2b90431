// Returns, and what they would come to.
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "guilder/accrual/v1/accrual_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands/purchase_parts.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = accrual::v1;

// "line=1,quantity=2", or "sku=A,quantity=2" where the sale is not known.
template <typename Request>
absl::Status AddReturnLine(const std::string& text, Request& request) {
  v1::ReturnLine& line = *request.add_lines();
  line.set_quantity(1);
  return ForEachPair(text, [&](const std::string& name, const std::string& value) {
    return Assign(line, name == "line" ? "line_id" : name, value);
  });
}

// The sale, and the store that takes the goods back: the sale's without --store.
template <typename Request>
absl::Status SetSale(const std::string& purchase, const std::string& store, Request& request,
                     Context& context) {
  if (!purchase.empty()) request.set_purchase(WithPrefix("purchases/", purchase));
  if (!store.empty()) request.set_store(WithPrefix("partners/", store));
  if (!store.empty() || purchase.empty()) return absl::OkStatus();
  v1::GetPurchaseRequest get;
  v1::GetPurchaseResponse sale;
  get.set_name(request.purchase());
  GUILDER_RETURN_IF_ERROR(context.Call(get, sale, "auditor"));
  request.set_store(sale.purchase().receipt().store());
  return absl::OkStatus();
}

std::vector<Field> WithReturnFields(std::vector<Field> before, const std::vector<Field>& after) {
  const std::vector<Field> fields = {
      {"Sale", "purchase"},
      {"Points taken back", "points_reversed", Show::kNumber},
      {"Points of each line", "line_points"},
      {"Of these pending", "settlement.pending_points", Show::kNumber},
      {"Of these owed", "points_owed", Show::kNumber},
      {"Of these deducted", "settlement.deducted_points", Show::kNumber},
      {"Of these written off", "settlement.written_off_points", Show::kNumber},
      {"Paid by", "settlement.payer"},
      {"Points restored", "settlement.restored_points", Show::kNumber}};
  before.insert(before.end(), fields.begin(), fields.end());
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

// The money by tender; amounts are the sale's, in its currency.
void ShowRefunds(Output& output, const v1::ReturnSettlement& settlement) {
  Table table({{"PAID WITH"}, {"COMES BACK", Align::kRight}});
  for (const v1::Tender& refund : settlement.refunds()) {
    const bool money = refund.kind() == v1::TENDER_KIND_MONEY;
    table.AddRow({money                                     ? "money"
                  : refund.kind() == v1::TENDER_KIND_POINTS ? "points"
                                                            : "voucher",
                  WithThousands(refund.amount_minor_units())});
  }
  table.AddRow({"all goods", WithThousands(settlement.amount_minor_units())});
  if (settlement.deduction_minor_units() > 0) {
    table.AddRow({"deducted", WithThousands(-settlement.deduction_minor_units())});
  }
  output.Print(table);
}

std::function<absl::Status()> Return(Arguments& arguments, Context& context) {
  const std::string& purchase =
      arguments.Text("PURCHASE", "The sale; without, the return is parked");
  const std::string& store =
      arguments.Text("--store", "The store that took the goods back; the sale's without");
  const std::string& number = arguments.Text("--return-number", "The partner's number of it", true);
  const std::string& at = arguments.Text("--at", "When it happened; the programme's clock without");
  const std::string& card = arguments.Text("--card", "The card, where the sale is not known");
  const std::vector<std::string>& lines = arguments.Texts(
      "--line", "line=1,quantity=2, or sku=A,quantity=2 without a sale; once for each", true);
  return [&]() -> absl::Status {
    v1::RecordReturnRequest request;
    v1::RecordReturnResponse response;
    GUILDER_RETURN_IF_ERROR(SetSale(purchase, store, request, context));
    request.set_return_number(number);
    request.set_card_number(card);
    GUILDER_ASSIGN_OR_RETURN(const std::string when, OccurrenceTime(at, context));
    GUILDER_RETURN_IF_ERROR(Assign(request, "occurred_at", when));
    for (const std::string& line : lines) GUILDER_RETURN_IF_ERROR(AddReturnLine(line, request));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, PartnerIn(request.store())));
    context.output().Record(
        ToJson(response), WithReturnFields({{"Name", "name"}},
                                           {{"Posted", "journal_receipt.posted_at", Show::kTime}}));
    ShowRefunds(context.output(), response.settlement());
    return absl::OkStatus();
  };
}

std::function<absl::Status()> Preview(Arguments& arguments, Context& context) {
  const std::string& purchase = arguments.Text("PURCHASE", "The sale", true);
  const std::string& store =
      arguments.Text("--store", "The store that takes the goods back; the sale's without");
  const std::vector<std::string>& lines =
      arguments.Texts("--line", "line=1,quantity=2, or sku=A,quantity=2; once for each", true);
  return [&]() -> absl::Status {
    v1::PreviewReturnRequest request;
    v1::PreviewReturnResponse response;
    GUILDER_RETURN_IF_ERROR(SetSale(purchase, store, request, context));
    for (const std::string& line : lines) GUILDER_RETURN_IF_ERROR(AddReturnLine(line, request));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, PartnerIn(request.store())));
    context.output().Record(ToJson(response), WithReturnFields({}, {}));
    ShowRefunds(context.output(), response.settlement());
    return absl::OkStatus();
  };
}

}  // namespace

absl::StatusOr<std::string> OccurrenceTime(const std::string& at, Context& context) {
  if (!at.empty() && at != "now") return at;
  if (!context.flags().request_id.empty()) {
    return absl::InvalidArgumentError(
        "a repeat with --request-id needs --at: the time that the first attempt told with its id");
  }
  const std::string now = context.Now();
  std::cerr << "at " << now << std::endl;
  return now;
}

void AddReturnVerbs(CLI::App& noun, Context& context) {
  AddAction(noun, context, "return", "Records goods that came back",
            [&context](Arguments& arguments) { return Return(arguments, context); });
  AddAction(noun, context, "preview-return", "Says what a return would come to, and posts nothing",
            [&context](Arguments& arguments) { return Preview(arguments, context); });
}

namespace {

void AddFunded(CLI::App& noun, Context& context) {
  AddVerb<v1::ListFundedPointsRequest, v1::ListFundedPointsResponse>(
      noun, context, "funded", "Lists where a partner pays for points of others' purchases")
      .Argument("PARTNER", "parent", "The partner that pays", "partners/")
      .Option("--from", "from", "What was posted from this time on")
      .Required()
      .Option("--until", "until", "And before this one; now without")
      .As("auditor")
      .ShowList("stores",
                {{"STORE", "store"},
                 {"PURCHASES", "purchases", Show::kNumber},
                 {"ISSUED", "issued_points", Show::kNumber},
                 {"TAKEN BACK", "reversed_points", Show::kNumber}},
                "it pays for no other partner's purchases");
}

}  // namespace

void AddTillReports(CLI::App& noun, Context& context) {
  AddVerb<v1::ListSequenceGapsRequest, v1::ListSequenceGapsResponse>(
      noun, context, "gaps", "Lists what is missing of the numbers that terminals give")
      .Argument("PARTNER", "parent", "The partner", "partners/")
      .Option("--from", "from", "Purchases posted from this time on")
      .Required()
      .Option("--until", "until", "And before this one; now without")
      .As("auditor")
      .Show([&context](const google::protobuf::Message& message) {
        const auto& response = static_cast<const v1::ListSequenceGapsResponse&>(message);
        context.output().Json(ToJson(response));
        Table table({{"STORE"},
                     {"TERMINAL"},
                     {"FIRST", Align::kRight},
                     {"LAST", Align::kRight},
                     {"PURCHASES", Align::kRight},
                     {"MISSING"},
                     {"REPEATED"},
                     {"CLOCK OFF BY", Align::kRight}});
        for (const v1::TerminalSequence& terminal : response.terminals()) {
          std::string missing;
          for (const v1::SequenceGap& gap : terminal.gaps()) {
            absl::StrAppend(&missing, missing.empty() ? "" : ", ", gap.first());
            if (gap.last() > gap.first()) absl::StrAppend(&missing, "-", gap.last());
          }
          std::string repeated;
          for (const int64_t number : terminal.repeated_numbers()) {
            absl::StrAppend(&repeated, repeated.empty() ? "" : ", ", number);
          }
          table.AddRow({terminal.store(), terminal.terminal(), absl::StrCat(terminal.first()),
                        absl::StrCat(terminal.last()), WithThousands(terminal.purchases()), missing,
                        repeated,
                        terminal.clock_offset_seconds() == 0
                            ? ""
                            : absl::StrCat(terminal.clock_offset_seconds(), " s")});
        }
        context.output().Print(table);
        return absl::OkStatus();
      });
  AddVerb<v1::ListTopCardsRequest, v1::ListTopCardsResponse>(
      noun, context, "top-cards", "Lists the cards that come most at each cashier and terminal")
      .Argument("PARTNER", "parent", "The partner", "partners/")
      .Option("--from", "from", "Purchases posted from this time on")
      .Required()
      .Option("--until", "until", "And before this one; now without")
      .Option("--cards", "cards", "How many of each cashier and terminal; 3 without")
      .As("auditor")
      .ShowList("cards",
                {{"STORE", "store"},
                 {"TERMINAL", "terminal"},
                 {"CASHIER", "cashier"},
                 {"CARD", "card_number"},
                 {"MEMBER", "member"},
                 {"PURCHASES", "purchases", Show::kNumber},
                 {"SHARE", "share_ppm", Show::kRate},
                 {"POINTS", "points", Show::kNumber}},
                "no card twice");
  AddFunded(noun, context);
}

}  // namespace guilder::cli
