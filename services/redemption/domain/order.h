// Orders of gifts: what is asked, how it is decided, and the steps of an order's life. Pure.
#pragma once

#include <string>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/decision_context.h"
#include "libs/ledger/core/posting.h"
#include "services/redemption/domain/redemption.h"
#include "services/redemption/domain/reward.h"

namespace guilder::redemption {

// The numbers are stored.
enum class OrderState : int16_t {
  kOrdered = 1,
  kConfirmed = 2,
  kShipped = 3,
  kDelivered = 4,
  kReturned = 5,
  kCancelled = 6,
};

// Whether the points and the goods of an order are the member's and away from the stock.
constexpr bool Counts(OrderState state) {
  return state != OrderState::kReturned && state != OrderState::kCancelled;
}

// What a member asks for, but for the request id. Checked for its form, with defaults filled in.
struct OrderRequest {
  RewardId reward;
  AccountId account;
  int64_t quantity = 1;
  int32_t price_version = 0;
  std::string region;
  std::string reference;
};

// An order as it stands. It is named by the record that placed it, and its points are that record's
// hold.
struct Order {
  BookId book;
  RecordNumber number;
  AccountId account;
  RewardId reward;
  PartnerId supplier;
  StoreId store;
  int64_t quantity = 0;
  Points points;
  MinorUnits money;
  int32_t price_version = 0;
  OrderState state = OrderState::kOrdered;
  Timestamp ordered_at;
  Timestamp confirm_by;
  Timestamp updated_at;
  std::string region;
  std::string reference;
};

// Who takes a step of an order's life: what each may is CheckMay.
enum class Actor { kMember, kSupplier, kOperator, kTime };

// What each request says, for fingerprints and the journal; README.md lists the fields.
std::string Encode(const OrderRequest& asked);
std::string EncodeStep(const Order& order, OrderState to);

// Holds the points of an order under the supplier's redemption contract in force now, which prices
// all that follows. The stock is what the lane's limit bounds: the command spends it.
//
// Refuses: kMemberNotFound, what CheckAvailable and PriceFor refuse, kPartnerNotActive,
// kNoContract, kMemberLimitReached, kOutOfStock, and what ledger::DecideHold refuses.
absl::StatusOr<Order> DecideOrder(const OrderRequest& asked, const Reward& reward,
                                  const Holdings& holdings, const ledger::DecisionContext& context,
                                  ledger::Posting& posting);

// What a step did.
struct Stepped {
  // Taken, or below zero given back.
  Points taken;
  // What the supplier is owed for them; below zero, what it owes back.
  Worth value;
  // Given back without having been taken.
  Points released;
};

// Takes an order from the state that it is in to another.
//
// Refuses: kWrongState, with the state; also for one whose time to be confirmed is over.
absl::StatusOr<Stepped> DecideStep(const Order& order, OrderState to, Actor actor,
                                   const ledger::DecisionContext& context,
                                   ledger::Posting& posting);

// The state to show: an order that nobody confirmed in time is called off, before anybody wrote it.
OrderState StateAt(const Order& order, Timestamp now);

}  // namespace guilder::redemption
