#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "guilder/accrual/v1/accrual_service.pb.h"

#include "libs/base/currency.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/rpc/restriction_text.h"
#include "libs/rpc/status.h"
#include "services/cli/commands.h"
#include "services/cli/commands/purchase_parts.h"
#include "services/cli/context.h"
#include "services/cli/importing/command.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = accrual::v1;
using google::protobuf::Message;

// Who recorded a purchase: only its partner may confirm it or take goods back.
absl::StatusOr<std::string> OwnerOf(Context& context, const std::string& purchase) {
  v1::GetPurchaseRequest request;
  v1::GetPurchaseResponse response;
  request.set_name(purchase);
  GUILDER_RETURN_IF_ERROR(context.Call(request, response, "auditor"));
  return PartnerIn(response.purchase().receipt().store());
}

// "sku=A,quantity=2,amount=19.90,category=food" as a line. The amount is for the whole quantity.
template <typename Request>
absl::Status AddLine(const std::string& text, Request& request) {
  v1::PurchaseLine& line = *request.add_lines();
  line.set_quantity(1);
  return ForEachPair(text, [&](const std::string& name, const std::string& value) -> absl::Status {
    if (name != "amount" && name != "tax") {
      return Assign(line, name == "line" ? "line_id" : name, value);
    }
    const auto amount = ParseAmount(value, CurrencyExponent(request.currency_code()));
    if (!amount) return absl::InvalidArgumentError(absl::StrCat("'", value, "' is no amount"));
    name == "tax" ? line.set_tax_minor_units(amount->value())
                  : line.set_amount_minor_units(amount->value());
    return absl::OkStatus();
  });
}

// "20.00" of the lines as paid with points, the rest with money.
template <typename Request>
absl::Status AddTenders(const std::string& with_points, Request& request) {
  if (with_points.empty()) return absl::OkStatus();
  const auto points = ParseAmount(with_points, CurrencyExponent(request.currency_code()));
  if (!points) return absl::InvalidArgumentError(absl::StrCat("'", with_points, "' is no amount"));
  int64_t rest = -points->value();
  for (const v1::PurchaseLine& line : request.lines()) rest += line.amount_minor_units();
  v1::Tender& tender = *request.add_tenders();
  tender.set_kind(v1::TENDER_KIND_POINTS);
  tender.set_amount_minor_units(points->value());
  if (rest == 0) return absl::OkStatus();
  v1::Tender& money = *request.add_tenders();
  money.set_kind(v1::TENDER_KIND_MONEY);
  money.set_amount_minor_units(rest);
  return absl::OkStatus();
}

std::vector<Field> PurchaseFields() {
  return {{"Name", "name"},
          {"Member", "member"},
          {"Store", "receipt.store"},
          {"Terminal", "receipt.terminal"},
          {"Receipt", "receipt.receipt_number"},
          {"Order", "receipt.order_id"},
          {"Business date", "receipt.business_date"},
          {"Occurred", "occurred_at", Show::kTime},
          {"Points", "points", Show::kNumber},
          {"Reversed by returns", "points_reversed", Show::kNumber},
          {"Posted", "journal_receipt.posted_at", Show::kTime},
          {"Book", "journal_receipt.book"},
          {"Record", "journal_receipt.number"}};
}

void ShowPurchase(Output& output, const v1::Purchase& purchase) {
  output.Record(ToJson(purchase), PurchaseFields());
  Table table({{"LINE"},
               {"SKU"},
               {"CATEGORY"},
               {"QUANTITY", Align::kRight},
               {"RETURNED", Align::kRight},
               {"AMOUNT", Align::kRight},
               {"POINTS", Align::kRight}});
  for (int i = 0; i < purchase.lines_size(); ++i) {
    const v1::PurchaseLine& line = purchase.lines(i);
    const int64_t returned =
        i < purchase.returned_quantities_size() ? purchase.returned_quantities(i) : 0;
    const int64_t points = i < purchase.line_points_size() ? purchase.line_points(i) : 0;
    table.AddRow({line.line_id(), line.sku(), line.category(), WithThousands(line.quantity()),
                  WithThousands(returned),
                  MoneyText(line.amount_minor_units(), purchase.currency_code()),
                  WithThousands(points)});
  }
  output.Print(table);
}

// Who pays: "partners/fresh 6, partners/house 4 (not partners/books: NO_CONTRACT)".
std::string FundedText(const v1::RuleExplanation& rule) {
  std::string text;
  for (const v1::FundedPoints& funded : rule.funded()) {
    absl::StrAppend(&text, text.empty() ? "" : ", ", funded.partner(), " ", funded.points());
    if (funded.reason().empty()) continue;
    absl::StrAppend(&text, " (not ", funded.instead_of(), ": ", funded.reason(), ")");
  }
  return text;
}

// The lots of a purchase; nothing for one of the seller that may be spent anywhere.
template <typename Response>
void ShowLots(Output& output, const Response& response) {
  if (response.lots().empty()) return;
  Table lots({{"LOT"}, {"POINTS", Align::kRight}, {"PAID BY"}, {"SPENT"}});
  for (const v1::EarnedLot& lot : response.lots()) {
    lots.AddRow(
        {lot.name(), WithThousands(lot.points()), lot.issuer(), rpc::WhereSpent(lot.spent_only())});
  }
  output.Print(lots);
}

// The explanations of a quote or of a recorded purchase.
template <typename Response>
void ShowReasons(Output& output, const Response& response) {
  Table lines({{"LINE"}, {"POINTS", Align::kRight}, {"RULE"}, {"WHY"}});
  for (const v1::LineExplanation& line : response.lines()) {
    lines.AddRow({line.line_id(), WithThousands(line.points()), line.rule(), line.text()});
  }
  output.Print(lines);
  Table rules({{"RULE"}, {"NAME"}, {"OUTCOME"}, {"POINTS", Align::kRight}, {"PAID BY"}, {"WHY"}});
  for (const v1::RuleExplanation& rule : response.rules()) {
    rules.AddRow({rule.rule(), rule.display_name(), rule.outcome(), WithThousands(rule.points()),
                  FundedText(rule), rule.text()});
  }
  output.Print(rules);
  ShowLots(output, response);
}

std::function<absl::Status()> Record(Arguments& arguments, Context& context) {
  const std::string& store = arguments.Text("--store", "The store: PARTNER/stores/STORE_ID", true);
  const std::string& card = arguments.Text("--card", "The number of the member's card", true);
  const std::string& terminal = arguments.Text("--terminal", "The till");
  const std::string& receipt = arguments.Text("--receipt", "The receipt's number");
  const std::string& order = arguments.Text("--order", "The order's id, for web shops");
  const std::string& date =
      arguments.Text("--business-date", "The store's business day; the day of --at without");
  const std::string& at = arguments.Text("--at", "When it happened; the programme's clock without");
  const std::string& currency = arguments.Text("--currency", "EUR without");
  const std::string& redemption =
      arguments.Text("--redemption", "A redemption to capture together with it");
  const std::string& quote = arguments.Text("--quote", "The token of a quote for this purchase");
  const std::string& with_points =
      arguments.Text("--paid-with-points", "How much of it was paid with points, in money");
  const std::string& cashier = arguments.Text("--cashier", "Who sat at the till");
  const std::string& number =
      arguments.Text("--sequence-number", "The terminal's running number of it");
  const std::string& terminal_time =
      arguments.Text("--terminal-time", "What the terminal's clock shows now, as in --at");
  const std::vector<std::string>& lines = arguments.Texts(
      "--line", "sku=A,quantity=2,amount=19.90,tax=3.18,category=food; once for each line", true);
  return [&]() -> absl::Status {
    v1::RecordPurchaseRequest request;
    v1::RecordPurchaseResponse response;
    GUILDER_ASSIGN_OR_RETURN(const std::string when, OccurrenceTime(at, context));
    GUILDER_RETURN_IF_ERROR(Assign(request, "occurred_at", when));
    request.mutable_receipt()->set_store(WithPrefix("partners/", store));
    request.mutable_receipt()->set_terminal(terminal);
    request.mutable_receipt()->set_business_date(date.empty() ? when.substr(0, 10) : date);
    if (!receipt.empty()) request.mutable_receipt()->set_receipt_number(receipt);
    if (!order.empty()) request.mutable_receipt()->set_order_id(order);
    request.set_card_number(card);
    request.set_currency_code(currency.empty() ? "EUR" : currency);
    if (!redemption.empty()) request.set_redemption(WithPrefix("redemptions/", redemption));
    for (const std::string& line : lines) GUILDER_RETURN_IF_ERROR(AddLine(line, request));
    GUILDER_RETURN_IF_ERROR(AddTenders(with_points, request));
    request.set_quote_token(quote);
    request.set_cashier(cashier);
    if (!number.empty()) GUILDER_RETURN_IF_ERROR(Assign(request, "sequence_number", number));
    if (!terminal_time.empty()) {
      GUILDER_RETURN_IF_ERROR(Assign(request, "terminal_time", terminal_time));
    }
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, PartnerIn(request.receipt().store())));
    std::vector<Field> fields = {{"Name", "name"},
                                 {"Points", "points", Show::kNumber},
                                 {"Points of each line", "line_points"}};
    if (response.trimmed_points() > 0) {
      fields.push_back({"Trimmed by caps", "trimmed_points", Show::kNumber});
    }
    if (response.has_normalised_occurred_at()) {
      fields.push_back({"Counts as of", "normalised_occurred_at", Show::kTime});
    }
    if (!quote.empty()) {
      fields.push_back({"Quote", "quote_outcome"});
      fields.push_back({"Points quoted", "quoted_points", Show::kNumber});
    }
    const std::vector<Field> always = {{"Available", "activates_at", Show::kTime},
                                       {"Expire", "expires_at", Show::kTime},
                                       {"Captured points", "captured_points", Show::kNumber},
                                       {"Posted", "journal_receipt.posted_at", Show::kTime},
                                       {"Book", "journal_receipt.book"},
                                       {"Record", "journal_receipt.number"}};
    fields.insert(fields.end(), always.begin(), always.end());
    context.output().Record(ToJson(response), fields);
    ShowLots(context.output(), response);
    return absl::OkStatus();
  };
}

std::function<absl::Status()> Quote(Arguments& arguments, Context& context) {
  const std::string& store = arguments.Text("--store", "The store: PARTNER/stores/STORE_ID", true);
  const std::string& card = arguments.Text("--card", "The number of the member's card", true);
  const std::string& terminal = arguments.Text("--terminal", "The till");
  const std::string& at = arguments.Text("--at", "When it happens; the programme's clock without");
  const std::string& currency = arguments.Text("--currency", "EUR without");
  const std::string& with_points =
      arguments.Text("--paid-with-points", "How much of it is paid with points, in money");
  const std::vector<std::string>& lines = arguments.Texts(
      "--line", "sku=A,quantity=2,amount=19.90,tax=3.18,category=food; once for each line", true);
  return [&]() -> absl::Status {
    v1::QuotePurchaseRequest request;
    v1::QuotePurchaseResponse response;
    request.set_store(WithPrefix("partners/", store));
    request.set_card_number(card);
    request.set_terminal(terminal);
    if (!at.empty()) GUILDER_RETURN_IF_ERROR(Assign(request, "occurred_at", at));
    request.set_currency_code(currency.empty() ? "EUR" : currency);
    for (const std::string& line : lines) GUILDER_RETURN_IF_ERROR(AddLine(line, request));
    GUILDER_RETURN_IF_ERROR(AddTenders(with_points, request));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, PartnerIn(request.store())));
    Output& output = context.output();
    output.Record(ToJson(response),
                  {{"Points", "points", Show::kNumber},
                   {"Rules", "rule_set"},
                   {"Available", "activates_at", Show::kTime},
                   {"Expire", "expires_at", Show::kTime},
                   {"Member", "member.name"},
                   {"Tier", "member.tier"},
                   {"Points available", "member.available_points", Show::kNumber},
                   {"Points that can be spent here", "member.spendable_points", Show::kNumber},
                   {"Only elsewhere", "member.elsewhere_points", Show::kNumber},
                   {"Quote", "quote_token"},
                   {"Binds until", "quote_expires_at", Show::kTime}});
    ShowReasons(output, response);
    return absl::OkStatus();
  };
}

// Confirms or cancels; every item is answered by itself, and the first refusal is reported last.
std::function<absl::Status()> Settle(Arguments& arguments, Context& context,
                                     v1::PurchaseOutcome outcome) {
  const std::vector<std::string>& names = arguments.Texts("PURCHASE", "The purchases", true);
  return [&names, &context, outcome]() -> absl::Status {
    if (names.size() > 1 && !context.flags().request_id.empty()) {
      return absl::InvalidArgumentError("--request-id is for one purchase at a time");
    }
    std::vector<std::unique_ptr<Message>> requests;
    for (const std::string& name : names) {
      auto request = std::make_unique<v1::ConfirmPurchasesRequest>();
      request->set_purchase(WithPrefix("purchases/", name));
      request->set_outcome(outcome);
      requests.push_back(std::move(request));
    }
    GUILDER_ASSIGN_OR_RETURN(const std::string owner,
                             OwnerOf(context, WithPrefix("purchases/", names.front())));
    v1::ConfirmPurchasesResponse response;
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    absl::Status first_error;
    GUILDER_RETURN_IF_ERROR(context.Stream(requests, response, owner, [&] {
      rows.push_back(ToJson(response));
      if (response.has_error()) first_error.Update(rpc::FromRpcStatus(response.error()));
    }));
    context.output().List(rows,
                          {{"PURCHASE", "confirmation.purchase"},
                           {"POINTS", "confirmation.points", Show::kNumber},
                           {"REQUEST ID", "request_id"},
                           {"REFUSED", "error.message"}},
                          "nothing");
    return first_error;
  };
}

void AddReads(CLI::App& noun, Context& context) {
  AddVerb<v1::GetPurchaseRequest, v1::GetPurchaseResponse>(noun, context, "show",
                                                           "Shows a purchase and its lines")
      .Argument("PURCHASE", "name", "The purchase", "purchases/")
      .As("auditor")
      .Show([&context](const Message& response) {
        ShowPurchase(context.output(),
                     static_cast<const v1::GetPurchaseResponse&>(response).purchase());
        return absl::OkStatus();
      });
  AddVerb<v1::ListPurchasesRequest, v1::ListPurchasesResponse>(
      noun, context, "list", "Lists a partner's purchases in the order of their posting")
      .Argument("PARTNER", "parent", "The partner", "partners/")
      .As("auditor")
      .ShowList("purchases",
                {{"NAME", "name"},
                 {"OCCURRED", "occurred_at", Show::kTime},
                 {"STORE", "receipt.store"},
                 {"RECEIPT", "receipt.receipt_number"},
                 {"ORDER", "receipt.order_id"},
                 {"MEMBER", "member"},
                 {"POINTS", "points", Show::kNumber},
                 {"REVERSED", "points_reversed", Show::kNumber}},
                "no purchases");
  AddVerb<v1::ExplainPurchaseRequest, v1::ExplainPurchaseResponse>(
      noun, context, "explain", "Says for each point which rule gave it, and of the others why not")
      .Argument("PURCHASE", "name", "The purchase", "purchases/")
      .As("auditor")
      .Show([&context](const Message& message) {
        const auto& response = static_cast<const v1::ExplainPurchaseResponse&>(message);
        Output& output = context.output();
        output.Record(ToJson(response), {{"Purchase", "purchase.name"},
                                         {"Occurred", "purchase.occurred_at", Show::kTime},
                                         {"Rules", "rule_set"},
                                         {"Contract", "contract"},
                                         {"Issuer", "issuer"},
                                         {"Tier", "tier"},
                                         {"Points", "purchase.points", Show::kNumber},
                                         {"Lot", "lot"},
                                         {"Available", "activates_at", Show::kTime},
                                         {"Expire", "expires_at", Show::kTime}});
        ShowReasons(output, response);
        return absl::OkStatus();
      });
}

}  // namespace

void AddPurchaseCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "purchase", "Purchases and returns");
  AddAction(noun, context, "record", "Records a purchase and awards its points",
            [&context](Arguments& arguments) { return Record(arguments, context); });
  AddAction(noun, context, "quote", "Says what a purchase would earn, and changes nothing",
            [&context](Arguments& arguments) { return Quote(arguments, context); });
  AddReturnVerbs(noun, context);
  AddAction(noun, context, "confirm", "Makes pending points available", [&](Arguments& arguments) {
    return Settle(arguments, context, v1::PURCHASE_OUTCOME_CONFIRMED);
  });
  AddAction(noun, context, "cancel", "Cancels pending points", [&](Arguments& arguments) {
    return Settle(arguments, context, v1::PURCHASE_OUTCOME_CANCELLED);
  });
  AddImportVerb(noun, context);
  AddReads(noun, context);
  AddTillReports(noun, context);
}

}  // namespace guilder::cli
