#include "guilder/redemption/v1/catalog_service.pb.h"

#include "services/cli/commands.h"
#include "services/cli/context.h"
#include "services/cli/verb.h"

namespace guilder::cli {
namespace {

namespace v1 = redemption::v1;
using google::protobuf::Message;

// A supplier's own orders, or a till's own vouchers, are --as PARTNER; without it support acts.
constexpr char kSupport[] = "support";

std::vector<Field> RewardFields() {
  return {{"Name", "name"},
          {"Kind", "kind"},
          {"Display name", "display_name"},
          {"Description", "description"},
          {"State", "state"},
          {"Supplier", "supplier_store"},
          {"Price in points", "price_points", Show::kNumber},
          {"And money", "price_money", Show::kMoney},
          {"Price version", "price_version", Show::kNumber},
          {"Honoured after a change, seconds", "price_ttl_seconds", Show::kNumber},
          {"Only so many", "stock_limited"},
          {"Left", "remaining_stock", Show::kNumber, "any number"},
          {"Most for one member", "per_member_limit", Show::kNumber},
          {"Only for tiers, at most", "tier_limits"},
          {"From", "valid_from", Show::kTime},
          {"Until", "valid_until", Show::kTime},
          {"Regions", "regions"},
          {"Face value", "voucher.face_value", Show::kMoney},
          {"Good at", "voucher.partners"},
          {"Single use", "voucher.single_use"},
          {"Good for, days", "voucher.validity_days", Show::kNumber},
          {"Etag", "etag"}};
}

std::vector<Field> OrderFields() {
  return {{"Name", "name"},
          {"State", "state"},
          {"Reward", "reward"},
          {"Member", "member"},
          {"Supplier", "supplier_store"},
          {"Quantity", "quantity", Show::kNumber},
          {"Points", "points", Show::kNumber},
          {"And money", "money", Show::kMoney},
          {"Price version", "price_version", Show::kNumber},
          {"Region", "region"},
          {"Reference", "reference"},
          {"Ordered", "order_time", Show::kTime},
          {"To be confirmed by", "confirm_by_time", Show::kTime},
          {"Changed", "update_time", Show::kTime}};
}

std::vector<Field> VoucherFields() {
  return {{"Name", "name"},
          {"Code", "code"},
          {"State", "state"},
          {"Reward", "reward"},
          {"Member", "member"},
          {"Face value", "face_value", Show::kMoney},
          {"Used", "used_value", Show::kMoney},
          {"Left", "remaining_value", Show::kMoney},
          {"Points", "points", Show::kNumber},
          {"Single use", "single_use"},
          {"Good at", "partners"},
          {"Issued", "issue_time", Show::kTime},
          {"Expires", "expire_time", Show::kTime}};
}

Verb& AddRewardOptions(Verb& verb) {
  return verb.Option("--display-name", "reward.display_name", "What members read")
      .Option("--description", "reward.description", "More about it")
      .Option("--points", "reward.price_points", "Its price in points")
      .Option("--price-ttl-seconds", "reward.price_ttl_seconds",
              "How long a shown price is honoured after a change; 900 if absent")
      .Option("--per-member", "reward.per_member_limit", "How many one member may have")
      .Option("--tier", "reward.tier_limits",
              "Only for members of this tier, and how many, as in gold=2; may be repeated")
      .Option("--from", "reward.valid_from", "From when on it may be had")
      .Option("--until", "reward.valid_until", "Until when it may be had")
      .Option("--region", "reward.regions", "Where it may be had, as in DE-BE; may be repeated");
}

void AddCreateCommands(CLI::App& noun, Context& context) {
  using Request = v1::CreateRewardRequest;
  using Response = v1::CreateRewardResponse;
  Verb& gift =
      AddVerb<Request, Response>(noun, context, "create-gift", "Adds goods that a partner sends");
  gift.Argument("REWARD_ID", "reward_id", "1 to 40 of a-z, 0-9 and '-'")
      .NameOption("--supplier", "reward.supplier_store",
                  "Who sends it, and is owed for its points: PARTNER/stores/STORE_ID", "partners/")
      .Required()
      .Option("--money", "reward.price_money.minor_units",
              "What the member pays the supplier besides, in minor units")
      .Option("--currency", "reward.price_money.currency_code", "Of that, as in EUR")
      .Option("--confirm-days", "reward.confirm_within_days",
              "How long the supplier may take to confirm an order; 14 if absent")
      .Option("--stock", "stock", "How many there are; any number if absent")
      .Sets("reward.stock_limited")
      .Prepare([](Message& message) {
        static_cast<Request&>(message).mutable_reward()->set_kind(v1::REWARD_KIND_GIFT);
        return absl::OkStatus();
      })
      .As("submitter")
      .ShowRecord("reward", RewardFields());
  AddRewardOptions(gift);

  Verb& voucher = AddVerb<Request, Response>(noun, context, "create-voucher",
                                             "Adds a voucher that pays at partners");
  voucher.Argument("REWARD_ID", "reward_id", "1 to 40 of a-z, 0-9 and '-'")
      .Option("--face", "reward.voucher.face_value.minor_units", "What it pays, in minor units")
      .Required()
      .Option("--currency", "reward.voucher.face_value.currency_code", "Of that, as in EUR")
      .Required()
      .NameOption("--partner", "reward.voucher.partners", "Who takes it; may be repeated",
                  "partners/")
      .Required()
      .Option("--validity-days", "reward.voucher.validity_days", "How long it is good")
      .Required()
      .Switch("--single-use", "reward.voucher.single_use", "Its first use uses it up")
      .Option("--stock", "stock", "How many there are; any number if absent")
      .Sets("reward.stock_limited")
      .Prepare([](Message& message) {
        static_cast<Request&>(message).mutable_reward()->set_kind(v1::REWARD_KIND_VOUCHER);
        return absl::OkStatus();
      })
      .As("submitter")
      .ShowRecord("reward", RewardFields());
  AddRewardOptions(voucher);
}

void AddRewardCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "reward", "The catalogue: what members get for points");
  AddCreateCommands(noun, context);
  Verb& update = AddVerb<v1::UpdateRewardRequest, v1::UpdateRewardResponse>(
      noun, context, "update", "Changes a reward, its price, or its stock");
  update.Argument("REWARD", "reward.name", "The reward", "rewards/")
      .Option("--etag", "reward.etag", "Only if nobody changed it since this was read")
      .Option("--state", "reward.state", "AVAILABLE or WITHDRAWN")
      .Option("--confirm-days", "reward.confirm_within_days",
              "How long the supplier may take to confirm an order")
      .Option("--stock-change", "stock_change", "How many come to the stock, or, below 0, leave it")
      .Masked("reward")
      .As("submitter")
      .ShowRecord("reward", RewardFields());
  AddRewardOptions(update);
  AddVerb<v1::GetRewardRequest, v1::GetRewardResponse>(noun, context, "show", "Shows a reward")
      .Argument("REWARD", "name", "The reward", "rewards/")
      .As("auditor")
      .ShowRecord("reward", RewardFields());
  AddVerb<v1::ListRewardsRequest, v1::ListRewardsResponse>(noun, context, "list",
                                                           "Lists the catalogue")
      .As("auditor")
      .ShowList("rewards",
                {{"NAME", "name"},
                 {"DISPLAY NAME", "display_name"},
                 {"KIND", "kind"},
                 {"STATE", "state"},
                 {"POINTS", "price_points", Show::kNumber},
                 {"MONEY", "price_money", Show::kMoney},
                 {"PRICE VERSION", "price_version", Show::kNumber},
                 {"LEFT", "remaining_stock", Show::kNumber, "any number"}},
                "no rewards");
}

void AddStep(CLI::App& noun, Context& context, const char* name, const char* help,
             v1::OrderState state) {
  AddVerb<v1::UpdateOrderStatusRequest, v1::UpdateOrderStatusResponse>(noun, context, name, help)
      .Argument("ORDER", "name", "The order", "orders/")
      .Prepare([state](Message& message) {
        static_cast<v1::UpdateOrderStatusRequest&>(message).set_state(state);
        return absl::OkStatus();
      })
      .As(kSupport)
      .ShowRecord("", {{"State", "state"},
                       {"Points taken", "taken_points", Show::kNumber},
                       {"The supplier is owed", "value", Show::kMoney},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
}

void AddOrderCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "order", "Gifts that members ordered");
  AddVerb<v1::OrderRewardRequest, v1::OrderRewardResponse>(
      noun, context, "place", "Orders a gift for a member: reserves it, and holds the points")
      .Argument("REWARD", "reward", "The gift", "rewards/")
      .NameOption("--member", "member", "Whose points pay", "members/")
      .Required()
      .Option("--quantity", "quantity", "How many; 1 if absent")
      .Option("--price-version", "price_version",
              "The price that the member was shown; whatever is in force if absent")
      .Option("--region", "region", "Where it goes, as in DE-BE")
      .Option("--reference", "reference", "The caller's own reference, without personal data")
      .As(kSupport)
      .ShowRecord("order", OrderFields());
  AddStep(noun, context, "confirm", "ORDERED to CONFIRMED: takes the points",
          v1::ORDER_STATE_CONFIRMED);
  AddStep(noun, context, "ship", "CONFIRMED to SHIPPED", v1::ORDER_STATE_SHIPPED);
  AddStep(noun, context, "deliver", "SHIPPED or CONFIRMED to DELIVERED", v1::ORDER_STATE_DELIVERED);
  AddStep(noun, context, "return", "To RETURNED: gives points and goods back",
          v1::ORDER_STATE_RETURNED);
  AddVerb<v1::CancelOrderRequest, v1::CancelOrderResponse>(
      noun, context, "cancel", "Calls an order off: gives points and goods back")
      .Argument("ORDER", "name", "The order", "orders/")
      .As(kSupport)
      .ShowRecord("", {{"Points back", "returned_points", Show::kNumber},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
  AddVerb<v1::GetOrderRequest, v1::GetOrderResponse>(noun, context, "show", "Shows an order")
      .Argument("ORDER", "name", "The order", "orders/")
      .As(kSupport)
      .ShowRecord("order", OrderFields());
  AddVerb<v1::ListOrdersRequest, v1::ListOrdersResponse>(noun, context, "list", "Lists orders")
      .NameOption("--member", "member", "Only this member's", "members/")
      .Option("--state", "state", "Only those in this state, as in ORDERED")
      .As(kSupport)
      .ShowList("orders",
                {{"NAME", "name"},
                 {"STATE", "state"},
                 {"REWARD", "reward"},
                 {"MEMBER", "member"},
                 {"QUANTITY", "quantity", Show::kNumber},
                 {"POINTS", "points", Show::kNumber},
                 {"ORDERED", "order_time", Show::kTime}},
                "no orders");
}

void AddVoucherUse(CLI::App& noun, Context& context) {
  AddVerb<v1::RedeemVoucherRequest, v1::RedeemVoucherResponse>(
      noun, context, "redeem", "Takes a voucher as payment in a store")
      .Argument("CODE", "code", "The voucher's code")
      .NameOption("--store", "store", "The store: PARTNER/stores/STORE_ID", "partners/")
      .Required()
      .Option("--amount", "amount.minor_units", "How much it pays, in minor units")
      .Required()
      .Option("--currency", "amount.currency_code", "Of that, as in EUR")
      .Required()
      .Option("--reference", "reference", "The receipt that it pays")
      .AsPartnerIn("store")
      .ShowRecord("", {{"Name", "name"},
                       {"Left of the voucher", "remaining_value", Show::kMoney},
                       {"Points taken", "points", Show::kNumber},
                       {"The partner is owed", "value", Show::kMoney},
                       {"Posted", "journal_receipt.posted_at", Show::kTime}});
  const std::vector<Field> refunded = {{"Points back", "refunded_points", Show::kNumber},
                                       {"Of the voucher's value", "amount", Show::kMoney},
                                       {"Posted", "journal_receipt.posted_at", Show::kTime}};
  using Request = v1::RefundVoucherRequest;
  using Response = v1::RefundVoucherResponse;
  AddVerb<Request, Response>(noun, context, "refund",
                             "Gives back the points of what is left, and ends the voucher")
      .Argument("VOUCHER", "voucher", "The voucher", "vouchers/")
      .As(kSupport)
      .ShowRecord("", refunded);
  AddVerb<Request, Response>(noun, context, "refund-use",
                             "Gives back the points of a use whose goods came back")
      .Argument("USE", "voucher_use", "What redeem gave", "voucherUses/")
      .Option("--amount", "amount.minor_units", "For how much of it, in minor units; all if absent")
      .Option("--currency", "amount.currency_code", "Of that, as in EUR")
      .As(kSupport)
      .ShowRecord("", refunded);
}

void AddVoucherCommands(CLI::App& app, Context& context) {
  CLI::App& noun = AddNoun(app, "voucher", "Vouchers that members bought");
  AddVerb<v1::IssueVoucherRequest, v1::IssueVoucherResponse>(
      noun, context, "issue", "Sells a voucher to a member, for points; shows its code once")
      .Argument("REWARD", "reward", "The voucher of the catalogue", "rewards/")
      .NameOption("--member", "member", "Whose points pay", "members/")
      .Required()
      .Option("--price-version", "price_version",
              "The price that the member was shown; whatever is in force if absent")
      .Option("--region", "region", "Where the member is, as in DE-BE")
      .As(kSupport)
      .ShowRecord("voucher", VoucherFields());
  AddVoucherUse(noun, context);
  AddVerb<v1::GetVoucherRequest, v1::GetVoucherResponse>(noun, context, "show", "Shows a voucher")
      .Argument("VOUCHER", "name", "The voucher", "vouchers/")
      .As(kSupport)
      .ShowRecord("voucher", VoucherFields());
  AddVerb<v1::GetVoucherRequest, v1::GetVoucherResponse>(
      noun, context, "check", "Shows what is left of a voucher that was presented")
      .Argument("CODE", "code", "The voucher's code")
      .As(kSupport)
      .ShowRecord("voucher", VoucherFields());
  AddVerb<v1::ListVouchersRequest, v1::ListVouchersResponse>(noun, context, "list",
                                                             "Lists vouchers")
      .NameOption("--member", "member", "Only this member's", "members/")
      .As(kSupport)
      .ShowList("vouchers",
                {{"NAME", "name"},
                 {"STATE", "state"},
                 {"REWARD", "reward"},
                 {"MEMBER", "member"},
                 {"FACE VALUE", "face_value", Show::kMoney},
                 {"LEFT", "remaining_value", Show::kMoney},
                 {"EXPIRES", "expire_time", Show::kTime}},
                "no vouchers");
}

}  // namespace

void AddCatalogCommands(CLI::App& app, Context& context) {
  AddRewardCommands(app, context);
  AddOrderCommands(app, context);
  AddVoucherCommands(app, context);
}

}  // namespace guilder::cli
