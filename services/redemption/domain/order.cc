#include "services/redemption/domain/order.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/decide.h"
#include "libs/ledger/core/record.h"

namespace guilder::redemption {
namespace {

using ledger::RecordKind;

constexpr uint64_t kFormat = 1;

absl::Status WrongState(OrderState state) {
  constexpr const char* kNames[] = {"",          "ORDERED",  "CONFIRMED", "SHIPPED",
                                    "DELIVERED", "RETURNED", "CANCELLED"};
  return Refuse(Reason::kWrongState, {}, {{"state", kNames[static_cast<size_t>(state)]}});
}

bool Follows(OrderState from, OrderState to) {
  switch (to) {
    case OrderState::kOrdered:
      return false;
    case OrderState::kConfirmed:
      return from == OrderState::kOrdered;
    case OrderState::kShipped:
      return from == OrderState::kConfirmed;
    case OrderState::kDelivered:
      return from == OrderState::kShipped || from == OrderState::kConfirmed;
    case OrderState::kReturned:
      return from == OrderState::kDelivered || from == OrderState::kShipped;
    case OrderState::kCancelled:
      return from == OrderState::kOrdered || from == OrderState::kConfirmed;
  }
  return false;
}

// A member calls off what nobody has confirmed; only time lets an order lapse.
bool May(const Order& order, OrderState to, Actor actor) {
  if (actor == Actor::kMember) {
    return to == OrderState::kCancelled && order.state == OrderState::kOrdered;
  }
  return actor != Actor::kTime ||
         (to == OrderState::kCancelled && order.state == OrderState::kOrdered);
}

absl::Status CheckSupplier(const Reward& reward, const ledger::DecisionContext& context,
                           Timestamp now, const ledger::Contract** contract) {
  const ledger::Partner* const supplier = context.configuration.FindPartner(reward.supplier);
  if (supplier == nullptr || !supplier->MayRedeem(now)) return Refuse(Reason::kPartnerNotActive);
  *contract = supplier->ContractAt(ledger::ContractKind::kRedemption, now);
  return *contract == nullptr ? Refuse(Reason::kNoContract) : absl::OkStatus();
}

Worth WorthOf(const Order& order, const ledger::DecisionContext& context,
              const ledger::Posting& posting, Points points) {
  for (const ledger::Hold& hold : posting.account().holds) {
    if (hold.number != order.number) continue;
    Worth worth = PriceUnder(context.configuration, order.supplier, hold.contract,
                             points < Points(0) ? -points : points);
    if (points < Points(0)) worth.amount = -worth.amount;
    return worth;
  }
  return {};
}

}  // namespace

std::string Encode(const OrderRequest& asked) {
  Encoder encoder;
  encoder.Unsigned(kFormat)
      .Unsigned(static_cast<uint64_t>(RecordKind::kOrder))
      .Id(asked.reward)
      .Id(asked.account)
      .Signed(asked.quantity)
      .Signed(asked.price_version)
      .Bytes(asked.region)
      .Bytes(asked.reference);
  return encoder.Take();
}

std::string EncodeStep(const Order& order, OrderState to) {
  const RecordKind kind =
      to == OrderState::kCancelled ? RecordKind::kOrderCancellation : RecordKind::kOrderUpdate;
  Encoder encoder;
  encoder.Unsigned(kFormat)
      .Unsigned(static_cast<uint64_t>(kind))
      .Id(order.book)
      .Id(order.number)
      .Unsigned(static_cast<uint64_t>(to));
  return encoder.Take();
}

absl::StatusOr<Order> DecideOrder(const OrderRequest& asked, const Reward& reward,
                                  const Holdings& holdings, const ledger::DecisionContext& context,
                                  ledger::Posting& posting) {
  if (!context.account_found) return Refuse(Reason::kMemberNotFound);
  const Timestamp now = posting.now();
  GUILDER_RETURN_IF_ERROR(CheckAvailable(reward, RewardKind::kGift, asked.region, now));
  GUILDER_ASSIGN_OR_RETURN(const Price price, PriceFor(reward, asked.price_version, now));
  const ledger::Contract* contract = nullptr;
  GUILDER_RETURN_IF_ERROR(CheckSupplier(reward, context, now, &contract));
  GUILDER_RETURN_IF_ERROR(CheckLimits(reward, holdings, asked.quantity, context));

  Order order;
  // Of the account that the points are of: the one that was asked for may have been merged.
  order.account = posting.account().id;
  order.book = ledger::BookOf(order.account);
  order.number = posting.number();
  order.reward = reward.id;
  order.supplier = reward.supplier;
  order.store = reward.store;
  order.quantity = asked.quantity;
  order.points = Points(price.points.value() * asked.quantity);
  order.money = MinorUnits(price.money.value() * asked.quantity);
  order.price_version = price.version;
  order.ordered_at = now;
  order.updated_at = now;
  order.confirm_by = now + Timestamp(reward.confirm_within_days * kMicrosPerDay);
  order.region = asked.region;
  order.reference = asked.reference;

  ledger::HoldTerms terms;
  terms.partner = order.supplier;
  terms.store = order.store;
  terms.contract = contract->id;
  terms.points = order.points;
  terms.expires_at = order.confirm_by;
  terms.gift = true;
  terms.order = context.configuration.programme().redemption.order;
  GUILDER_RETURN_IF_ERROR(ledger::DecideHold(posting, terms));
  return order;
}

absl::StatusOr<Stepped> DecideStep(const Order& order, OrderState to, Actor actor,
                                   const ledger::DecisionContext& context,
                                   ledger::Posting& posting) {
  const bool lapsed = StateAt(order, posting.now()) != order.state;
  if (lapsed != (actor == Actor::kTime)) {
    return WrongState(StateAt(order, posting.now()));
  }
  if (!Follows(order.state, to) || !May(order, to, actor)) return WrongState(order.state);
  Stepped stepped;
  // The hold gave its points back when its time was over.
  if (lapsed) return stepped;
  if (to == OrderState::kConfirmed) {
    GUILDER_ASSIGN_OR_RETURN(
        stepped.taken,
        ledger::DecideCapture(posting, order.supplier, order.number, order.points, /*final=*/true));
  } else if (to == OrderState::kCancelled && order.state == OrderState::kOrdered) {
    GUILDER_ASSIGN_OR_RETURN(stepped.released,
                             ledger::DecideRelease(posting, order.supplier, order.number));
  } else if (!Counts(to)) {
    GUILDER_RETURN_IF_ERROR(ledger::DecideRefund(posting, order.supplier, order.number,
                                                 order.points,
                                                 context.configuration.GraceUntil(posting.now())));
    stepped.taken = -order.points;
  }
  stepped.value = WorthOf(order, context, posting, stepped.taken);
  return stepped;
}

OrderState StateAt(const Order& order, Timestamp now) {
  const bool lapsed = order.state == OrderState::kOrdered && order.confirm_by <= now;
  return lapsed ? OrderState::kCancelled : order.state;
}

}  // namespace guilder::redemption
