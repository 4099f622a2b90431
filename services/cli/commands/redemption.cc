#include "guilder/redemption/v1/redemption_service.pb.h"

#include "libs/base/status_macros.h"
#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/messages.h"
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

template <typename Request, typename Response>
Verb& AddStep(CLI::App& noun, Context& context, const char* name, const char* help) {
  return AddVerb<Request, Response>(noun, context, name, help)
      .Argument("REDEMPTION", "name", "The redemption", "redemptions/")
      .AsWhom(ItsPartner(context));
}

}  // namespace

// "category=dairy,sku=4711,amount=23.40".
void AddBasketOptions(Verb& verb) {
  verb.Option("--line", "lines", "What is to be paid: sku=…,category=…,amount_minor_units=…")
      .Option("--currency", "currency_code", "Of the lines, as in EUR");
}

void AddQuote(CLI::App& noun, Context& context) {
  Verb& quote = AddVerb<v1::QuoteRedemptionRequest, v1::QuoteRedemptionResponse>(
      noun, context, "quote", "Says how much of a basket may be paid with points");
  quote.NameOption("--store", "store", "The store: PARTNER/stores/STORE_ID", "partners/")
      .Required()
      .Option("--card", "card_number", "The number of the member's card")
      .Required();
  AddBasketOptions(quote);
  quote.AsPartnerIn("store").ShowRecord("",
                                        {{"May be paid in points", "payable_points", Show::kNumber},
                                         {"Worth", "value", Show::kMoney},
                                         {"Rest", "rest", Show::kMoney},
                                         {"Can be spent", "available_points", Show::kNumber},
                                         {"Owed", "owed_points", Show::kNumber},
                                         {"Fewest points", "minimum_points", Show::kNumber},
                                         {"In steps of", "step_points", Show::kNumber},
                                         {"Of the basket at most", "payable_value", Show::kMoney},
                                         {"PIN from points", "pin_from_points", Show::kNumber}});
}

}  // namespace

void AddRedemptionCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "redemption", "Payments with points");
  AddQuote(noun, context);
  Verb& authorize = AddVerb<v1::AuthorizeRedemptionRequest, v1::AuthorizeRedemptionResponse>(
      noun, context, "authorize", "Holds available points for a payment");
  AddBasketOptions(authorize);
  authorize.NameOption("--store", "store", "The store: PARTNER/stores/STORE_ID", "partners/")
      .Required()
      .Option("--card", "card_number", "The number of the member's card")
      .Required()
      .Option("--points", "points", "How many")
      .Required()
      .Option("--hold-seconds", "time_to_live_seconds", "How long to hold them; 900 without")
      .Option("--reference", "reference", "The receipt or order that they pay")
      .Switch("--capture", "capture", "Takes them at once")
      .Option("--device", "device_id", "What the member pays from")
      .Option("--one-time-code", "one_time_code", "The member's code")
      .Option("--pin-file", "pin", "A file with the member's PIN", Kind::kFile)
      .AsPartnerIn("store")
      .ShowRecord("", {{"Name", "name"},
                       {"State", "state"},
                       {"Worth", "value", Show::kMoney},
                       {"Held until", "expires_at", Show::kTime},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
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
      .ShowRecord("redemption", {{"Name", "name"},
                                 {"State", "state"},
                                 {"Store", "store"},
                                 {"Authorized", "authorized_points", Show::kNumber},
                                 {"Captured", "captured_points", Show::kNumber},
                                 {"Refunded", "refunded_points", Show::kNumber},
                                 {"Worth", "value", Show::kMoney},
                                 {"Held until", "expires_at", Show::kTime}});
}

}  // namespace guilder::cli
