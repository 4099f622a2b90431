#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "guilder/redemption/v1/redemption_service.pb.h"

#include "libs/base/currency.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/rpc/proto_time.h"
#include "services/cli/commands.h"
#include "services/cli/commands/files.h"
#include "services/cli/commands/purchase_parts.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
#include "services/cli/output/format.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = redemption::v1;
using google::protobuf::Message;

// The partner that took the points: only it may go on with the redemption.
std::function<absl::StatusOr<std::string>(const Message&)> ItsPartner(Context& context) {
  return [&context](const Message& message) -> absl::StatusOr<std::string> {
    if (!context.flags().as.empty()) return context.flags().as;
    v1::GetRedemptionRequest request;
    v1::GetRedemptionResponse response;
    request.set_name(TextAt(message, "name"));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, "auditor"));
    return PartnerIn(response.redemption().store());
  };
}

std::vector<Field> RedemptionFields() {
  return {{"Name", "name"},
          {"State", "state"},
          {"Store", "store"},
          {"Authorized", "authorized_points", Show::kNumber},
          {"Captured", "captured_points", Show::kNumber},
          {"Refunded", "refunded_points", Show::kNumber},
          {"Worth", "value", Show::kMoney},
          {"Held until", "expires_at", Show::kTime}};
}

// With the lots that pay, where the caller may see them.
void ShowRedemption(Output& output, const v1::GetRedemptionResponse& response) {
  output.Record(ToJson(response)["redemption"], RedemptionFields());
  if (response.redemption().parts().empty()) return;
  Table table({{"ISSUER"},
               {"HELD", Align::kRight},
               {"CAPTURED", Align::kRight},
               {"REFUNDED", Align::kRight},
               {"EXPIRES"},
               {"RESTORED UNTIL"}});
  for (const v1::RedemptionPart& part : response.redemption().parts()) {
    const auto when = [](const google::protobuf::Timestamp& at) {
      return at.seconds() == 0 ? std::string()
                               : FormatTimestamp(rpc::FromProto(at).value_or(Timestamp()));
    };
    table.AddRow({part.issuer(), WithThousands(part.held_points()),
                  WithThousands(part.captured_points()), WithThousands(part.refunded_points()),
                  when(part.expires_at()), when(part.restored_until())});
  }
  output.Print(table);
}

template <typename Request, typename Response>
Verb& AddStep(CLI::App& noun, Context& context, const char* name, const char* help) {
  return AddVerb<Request, Response>(noun, context, name, help)
      .Argument("REDEMPTION", "name", "The redemption", "redemptions/")
      .AsWhom(ItsPartner(context));
}

// "sku=4711,category=dairy,amount=23.40" as a line.
template <typename Request>
absl::Status AddBasket(const std::vector<std::string>& lines, const std::string& currency,
                       Request& request) {
  if (lines.empty()) return absl::OkStatus();
  request.set_currency_code(currency.empty() ? "EUR" : currency);
  for (const std::string& text : lines) {
    v1::BasketLine& line = *request.add_lines();
    GUILDER_RETURN_IF_ERROR(
        ForEachPair(text, [&](const std::string& name, const std::string& value) -> absl::Status {
          if (name != "amount") return Assign(line, name, value);
          const auto amount = ParseAmount(value, CurrencyExponent(request.currency_code()));
          if (!amount)
            return absl::InvalidArgumentError(absl::StrCat("'", value, "' is no amount"));
          line.set_amount_minor_units(amount->value());
          return absl::OkStatus();
        }));
  }
  return absl::OkStatus();
}

constexpr char kLineHelp[] = "sku=A,category=food,amount=19.90; once for each line";

std::function<absl::Status()> Quote(Arguments& arguments, Context& context) {
  const std::string& store = arguments.Text("--store", "The store: PARTNER/stores/STORE_ID", true);
  const std::string& card = arguments.Text("--card", "The number of the member's card", true);
  const std::string& currency = arguments.Text("--currency", "EUR without");
  const std::vector<std::string>& lines = arguments.Texts("--line", kLineHelp, true);
  return [&]() -> absl::Status {
    v1::QuoteRedemptionRequest request;
    v1::QuoteRedemptionResponse response;
    request.set_store(WithPrefix("partners/", store));
    request.set_card_number(card);
    GUILDER_RETURN_IF_ERROR(AddBasket(lines, currency, request));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, PartnerIn(request.store())));
    context.output().Record(ToJson(response),
                            {{"May be paid in points", "payable_points", Show::kNumber},
                             {"Worth", "value", Show::kMoney},
                             {"Rest", "rest", Show::kMoney},
                             {"Can be spent here", "available_points", Show::kNumber},
                             {"Only elsewhere", "elsewhere_points", Show::kNumber},
                             {"Owed", "owed_points", Show::kNumber},
                             {"Fewest points", "minimum_points", Show::kNumber},
                             {"In steps of", "step_points", Show::kNumber},
                             {"Of the basket at most", "payable_value", Show::kMoney},
                             {"PIN from points", "pin_from_points", Show::kNumber}});
    return absl::OkStatus();
  };
}

std::function<absl::Status()> Authorize(Arguments& arguments, Context& context) {
  const std::string& store = arguments.Text("--store", "The store: PARTNER/stores/STORE_ID", true);
  const std::string& card = arguments.Text("--card", "The number of the member's card", true);
  const std::string& points = arguments.Text("--points", "How many", true);
  const std::string& seconds =
      arguments.Text("--hold-seconds", "How long to hold them; 900 without");
  const std::string& reference =
      arguments.Text("--reference", "The receipt or order that they pay; once for each");
  const std::string& currency = arguments.Text("--currency", "Of the lines; EUR without");
  const std::vector<std::string>& lines = arguments.Texts("--line", kLineHelp);
  const bool& capture = arguments.Flag("--capture", "Takes them at once");
  const std::string& device = arguments.Text("--device", "What the member pays from");
  const std::string& pin = arguments.Text("--pin-file", "A file that holds the member's PIN");
  const std::string& code =
      arguments.Text("--code-file", "A file that holds the member's one-time code");
  const std::string& when = arguments.Text("--occurred", "When the member paid; now without");
  return [&]() -> absl::Status {
    v1::AuthorizeRedemptionRequest request;
    v1::AuthorizeRedemptionResponse response;
    request.set_store(WithPrefix("partners/", store));
    request.set_card_number(card);
    GUILDER_RETURN_IF_ERROR(Assign(request, "points", points));
    if (!seconds.empty()) {
      GUILDER_RETURN_IF_ERROR(Assign(request, "time_to_live_seconds", seconds));
    }
    request.set_reference(reference);
    GUILDER_RETURN_IF_ERROR(AddBasket(lines, currency, request));
    request.set_capture(capture);
    if (!when.empty()) GUILDER_RETURN_IF_ERROR(Assign(request, "occurred_at", when));
    request.set_device_id(device);
    GUILDER_ASSIGN_OR_RETURN(*request.mutable_pin(), SecretIn(pin));
    GUILDER_ASSIGN_OR_RETURN(*request.mutable_one_time_code(), SecretIn(code));
    GUILDER_RETURN_IF_ERROR(context.Call(request, response, PartnerIn(request.store())));
    context.output().Record(ToJson(response),
                            {{"Name", "name"},
                             {"State", "state"},
                             {"Worth", "value", Show::kMoney},
                             {"Held until", "expires_at", Show::kTime},
                             {"Posted", "journal_receipt.posted_at", Show::kTime}});
    return absl::OkStatus();
  };
}

void AddFind(CLI::App& noun, Context& context) {
  AddVerb<v1::GetRedemptionRequest, v1::GetRedemptionResponse>(
      noun, context, "find", "Finds the redemption of an order: what became of it")
      .NameOption("--store", "store", "The store: PARTNER/stores/STORE_ID", "partners/")
      .Required()
      .Option("--reference", "reference", "The receipt or order, as it was authorized for")
      .Required()
      .AsPartnerIn("store")
      .ShowRecord("redemption", RedemptionFields());
}

}  // namespace

void AddRedemptionCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "redemption", "Payments with points");
  AddAction(noun, context, "quote", "Says how much of a basket may be paid with points",
            [&context](Arguments& arguments) { return Quote(arguments, context); });
  AddAction(noun, context, "authorize", "Holds available points for a payment, or takes them",
            [&context](Arguments& arguments) { return Authorize(arguments, context); });
  AddFind(noun, context);
  AddStep<v1::CaptureRedemptionRequest, v1::CaptureRedemptionResponse>(noun, context, "capture",
                                                                       "Takes held points")
      .Option("--points", "points", "How many; all that are held without")
      .Switch("--final", "final", "Releases the rest of the hold")
      .ShowRecord("", {{"Captured points", "captured_points", Show::kNumber},
                       {"Worth", "value", Show::kMoney},
                       {"Still held", "held_points", Show::kNumber},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
  AddStep<v1::VoidRedemptionRequest, v1::VoidRedemptionResponse>(
      noun, context, "void", "Gives back what is held and not captured")
      .ShowRecord("", {{"Released points", "released_points", Show::kNumber},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
  AddStep<v1::RefundRedemptionRequest, v1::RefundRedemptionResponse>(
      noun, context, "refund", "Gives back captured points to the lots that paid")
      .Option("--points", "points", "How many")
      .Required()
      .ShowRecord("", {{"Refunded points", "refunded_points", Show::kNumber},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
  AddVerb<v1::GetRedemptionRequest, v1::GetRedemptionResponse>(noun, context, "show",
                                                               "Shows a redemption")
      .Argument("REDEMPTION", "name", "The redemption", "redemptions/")
      .As("auditor")
      .Show([&context](const Message& message) {
        ShowRedemption(context.output(), static_cast<const v1::GetRedemptionResponse&>(message));
        return absl::OkStatus();
      });
}

}  // namespace guilder::cli
