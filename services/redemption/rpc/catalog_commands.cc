#include "services/redemption/rpc/catalog_commands.h"

#include <algorithm>
#include <set>
#include <utility>

#include "guilder/redemption/v1/catalog_service.pb.h"

#include "libs/base/digest.h"
#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "services/redemption/rpc/catalog_proto.h"
#include "services/redemption/store/rewards.h"

namespace guilder::redemption {
namespace {

using ledger::DecisionContext;
using ledger::Posting;
using ledger::RecordKind;

template <typename Key, typename Value>
const Value* FindIn(const std::map<Key, Value>& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

void Address(ledger::Command& command, CatalogRows& rows, PartnerId partner, const Uuid& request_id,
             AccountId account) {
  command.rows = &rows;
  command.partner = partner;
  command.request_id = request_id;
  command.account = account;
  command.book = ledger::BookOf(account);
}

void Say(ledger::Command& command, RecordKind kind, std::string content) {
  command.kind = kind;
  command.fingerprint = Sha256({content});
  command.content = std::move(content);
  command.needs_lots = true;
}

// Acts on what an earlier record made: its hold, and the same lots.
void ActOn(ledger::Command& command, RecordNumber number, RecordNumber hold) {
  command.refers_to = number;
  command.hold = hold;
}

class OrderCommand final : public CatalogCommand {
 public:
  explicit OrderCommand(const OrderRequest& asked) : asked_(asked) {
    Say(*this, RecordKind::kOrder, Encode(asked));
    limits = {StockOf(asked.reward)};
  }

  CatalogNeeds Needs() const override {
    CatalogNeeds needs;
    needs.reward = asked_.reward;
    needs.ordered = OfMember();
    return needs;
  }

  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    const Reward* const reward = FindIn(batch->rewards, asked_.reward);
    if (reward == nullptr) return Refuse(Reason::kRewardNotFound);
    if (batch->locked.contains(account)) return Refuse(Reason::kSpendingLocked);
    GUILDER_ASSIGN_OR_RETURN(order_,
                             DecideOrder(asked_, *reward, batch->Of(OfMember()), context, posting));
    if (reward->stock_limited) spends[StockOf(reward->id)] = Points(order_.quantity);
    v1::OrderRewardResponse response;
    *response.mutable_order() = ToProto(order_, reward->slug, context.configuration);
    return response.SerializeAsString();
  }

  void OnAccepted() override { batch->has[OfMember()] += asked_.quantity; }
  void AddTo(CatalogWrites& writes) const override { writes.orders.push_back(order_); }

 private:
  RewardOf OfMember() const { return {account, asked_.reward}; }

  const OrderRequest asked_;
  Order order_;
};

class StepCommand final : public CatalogCommand {
 public:
  StepCommand(const Order& order, OrderState to, Actor actor)
      : key_(order.book, order.number), to_(to), actor_(actor), reward_(order.reward) {
    // What lapses is no cancellation: its hold has ended by itself.
    const bool cancels = to == OrderState::kCancelled && actor != Actor::kTime;
    Say(*this, cancels ? RecordKind::kOrderCancellation : RecordKind::kOrderUpdate,
        EncodeStep(order, to));
    ActOn(*this, order.number, order.number);
    if (!Counts(to)) {
      limits = {StockOf(order.reward)};
      // The lots that paid may be closed since, and so may those that took over from them.
      needs_lot = LotId(1);
    }
  }

  CatalogNeeds Needs() const override {
    CatalogNeeds needs;
    needs.order = key_;
    needs.reward = reward_;
    return needs;
  }

  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    const Order* const order = FindIn(batch->orders, key_);
    const Reward* const reward = FindIn(batch->rewards, reward_);
    if (order == nullptr || reward == nullptr) return Refuse(Reason::kOrderNotFound);
    GUILDER_ASSIGN_OR_RETURN(const Stepped stepped,
                             DecideStep(*order, to_, actor_, context, posting));
    if (!Counts(to_) && reward->stock_limited) {
      spends[StockOf(reward_)] = Points(-order->quantity);
    }
    updated_at_ = posting.now();
    if (kind == RecordKind::kOrderCancellation) {
      v1::CancelOrderResponse response;
      response.set_returned_points((stepped.released - stepped.taken).value());
      return response.SerializeAsString();
    }
    v1::UpdateOrderStatusResponse response;
    response.set_state(ToProto(to_));
    response.set_taken_points(stepped.taken.value());
    if (stepped.taken != Points(0)) SetMoney(stepped.value, *response.mutable_value());
    return response.SerializeAsString();
  }

  void AddTo(CatalogWrites& writes) const override {
    writes.order_changes.push_back({key_, to_, updated_at_});
  }

 private:
  const RecordKey key_;
  const OrderState to_;
  const Actor actor_;
  const RewardId reward_;
  Timestamp updated_at_;
};

class IssueCommand final : public CatalogCommand {
 public:
  IssueCommand(const VoucherRequest& asked, const VoucherCodes& codes)
      : asked_(asked), codes_(codes) {
    Say(*this, RecordKind::kVoucher, Encode(asked));
    limits = {StockOf(asked.reward)};
  }

  CatalogNeeds Needs() const override {
    CatalogNeeds needs;
    needs.reward = asked_.reward;
    needs.issued = OfMember();
    return needs;
  }

  // The code is no part of the response that is stored: who answers makes it again.
  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    const Reward* const reward = FindIn(batch->rewards, asked_.reward);
    if (reward == nullptr) return Refuse(Reason::kRewardNotFound);
    if (batch->locked.contains(account)) return Refuse(Reason::kSpendingLocked);
    GUILDER_ASSIGN_OR_RETURN(
        voucher_, DecideVoucher(asked_, *reward, batch->Of(OfMember()), context, posting));
    if (reward->stock_limited) spends[StockOf(reward->id)] = Points(1);
    v1::IssueVoucherResponse response;
    *response.mutable_voucher() = ToProto(voucher_, reward->slug, context.configuration);
    return response.SerializeAsString();
  }

  void OnAccepted() override { ++batch->has[OfMember()]; }
  void AddTo(CatalogWrites& writes) const override {
    const std::string code = codes_.CodeOf(voucher_.book, voucher_.number, voucher_.issued_at);
    writes.vouchers.push_back({voucher_, codes_.IndexOf(code)});
  }

 private:
  RewardOf OfMember() const { return {account, asked_.reward}; }

  const VoucherRequest asked_;
  const VoucherCodes& codes_;
  Voucher voucher_;
};

class UseCommand final : public CatalogCommand {
 public:
  explicit UseCommand(const UseRequest& asked) : asked_(asked) {
    Say(*this, RecordKind::kVoucherUse, Encode(asked));
    ActOn(*this, asked.voucher, asked.voucher);
  }

  CatalogNeeds Needs() const override {
    CatalogNeeds needs;
    needs.voucher = RecordKey(asked_.book, asked_.voucher);
    return needs;
  }

  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    const Voucher* const voucher = FindIn(batch->vouchers, RecordKey(asked_.book, asked_.voucher));
    if (voucher == nullptr) return Refuse(Reason::kVoucherNotFound);
    GUILDER_ASSIGN_OR_RETURN(used_, DecideUse(asked_, *voucher, partner, context, posting));
    const Currency& currency = context.configuration.programme().currency;
    v1::RedeemVoucherResponse response;
    response.set_name(ledger::RecordName(kind, book, posting.number()));
    SetMoney({used_.remaining, currency}, *response.mutable_remaining_value());
    response.set_points(used_.use.points.value());
    SetMoney(used_.value, *response.mutable_value());
    return response.SerializeAsString();
  }

  void AddTo(CatalogWrites& writes) const override { writes.uses.push_back(used_); }

 private:
  const UseRequest asked_;
  Used used_;
};

std::string ResponseOf(const Refunded& refunded, const DecisionContext& context) {
  v1::RefundVoucherResponse response;
  response.set_refunded_points(refunded.points.value());
  SetMoney({refunded.amount, context.configuration.programme().currency},
           *response.mutable_amount());
  return response.SerializeAsString();
}

class VoucherRefundCommand final : public CatalogCommand {
 public:
  explicit VoucherRefundCommand(const Voucher& voucher)
      : key_(voucher.book, voucher.number), reward_(voucher.reward) {
    Say(*this, RecordKind::kVoucherRefund, EncodeRefund(voucher));
    ActOn(*this, voucher.number, voucher.number);
    limits = {StockOf(reward_)};
    needs_lot = LotId(1);
  }

  CatalogNeeds Needs() const override {
    CatalogNeeds needs;
    needs.voucher = key_;
    needs.reward = reward_;
    return needs;
  }

  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    const Voucher* const voucher = FindIn(batch->vouchers, key_);
    const Reward* const reward = FindIn(batch->rewards, reward_);
    if (voucher == nullptr || reward == nullptr) return Refuse(Reason::kVoucherNotFound);
    GUILDER_ASSIGN_OR_RETURN(const Refunded refunded, DecideRefund(*voucher, posting));
    // What was used, if only in part, was had.
    if (reward->stock_limited && voucher->used == MinorUnits(0)) {
      spends[StockOf(reward_)] = Points(-1);
    }
    return ResponseOf(refunded, context);
  }

  void AddTo(CatalogWrites& writes) const override { writes.ended_vouchers.push_back(key_); }

 private:
  const RecordKey key_;
  const RewardId reward_;
};

class UseRefundCommand final : public CatalogCommand {
 public:
  UseRefundCommand(const VoucherUse& use, MinorUnits amount)
      : key_(use.book, use.number), amount_(amount) {
    Say(*this, RecordKind::kVoucherUseRefund, EncodeRefund(use, amount));
    // On the voucher, whose points both this and other uses took.
    ActOn(*this, use.voucher, use.voucher);
    needs_lot = LotId(1);
  }

  CatalogNeeds Needs() const override {
    CatalogNeeds needs;
    needs.use = key_;
    return needs;
  }

  absl::StatusOr<std::string> Decide(const DecisionContext& context, Posting& posting) override {
    const VoucherUse* const use = FindIn(batch->uses, key_);
    if (use == nullptr) return Refuse(Reason::kVoucherNotFound);
    GUILDER_ASSIGN_OR_RETURN(refunded_, DecideRefund(*use, amount_, context, posting));
    return ResponseOf(refunded_, context);
  }

  void AddTo(CatalogWrites& writes) const override {
    writes.use_refunds.push_back({key_, refunded_});
  }

 private:
  const RecordKey key_;
  const MinorUnits amount_;
  Refunded refunded_;
};

template <typename Key>
void AddIf(const std::optional<Key>& key, std::vector<Key>& keys) {
  if (key) keys.push_back(*key);
}

bool AnyAsksForTiers(const std::map<RewardId, Reward>& rewards) {
  return std::any_of(rewards.begin(), rewards.end(),
                     [](const auto& reward) { return !reward.second.tier_limits.empty(); });
}

}  // namespace

Holdings CatalogBatch::Of(const RewardOf& member) const {
  const int64_t* const count = FindIn(has, member);
  const std::string* const tier = FindIn(tiers, member.first);
  return {count == nullptr ? 0 : *count, tier == nullptr ? std::string() : *tier};
}

void CatalogRows::Load(postgres::Transaction& tx, const ledger::Configuration&,
                       const std::vector<ledger::Command*>& commands) {
  std::vector<RewardId> rewards;
  std::set<RewardOf> ordered;
  std::set<RewardOf> issued;
  std::vector<RecordKey> orders;
  std::vector<RecordKey> vouchers;
  std::vector<RecordKey> uses;
  std::set<AccountId> spenders;
  const auto batch = std::make_shared<CatalogBatch>();
  for (ledger::Command* command : commands) {
    auto& ours = static_cast<CatalogCommand&>(*command);
    const CatalogNeeds needs = ours.Needs();
    AddIf(needs.reward, rewards);
    if (needs.ordered) ordered.insert(*needs.ordered);
    if (needs.issued) issued.insert(*needs.issued);
    if (needs.ordered || needs.issued) spenders.insert(ours.account);
    AddIf(needs.order, orders);
    AddIf(needs.voucher, vouchers);
    AddIf(needs.use, uses);
    ours.batch = batch;
  }
  batch->rewards = ReadRewards(tx, rewards);
  batch->has = CountOrdered(tx, {ordered.begin(), ordered.end()});
  batch->has.merge(CountVouchers(tx, {issued.begin(), issued.end()}));
  if (AnyAsksForTiers(batch->rewards)) batch->tiers = ReadTiers(tx, spenders);
  batch->locked = FindLocked(tx, spenders);
  batch->orders = ReadOrders(tx, orders);
  batch->vouchers = ReadVouchers(tx, vouchers);
  batch->uses = ReadUses(tx, uses);
}

void CatalogRows::Write(postgres::Transaction& tx, const std::vector<ledger::Command*>& commands) {
  CatalogWrites writes;
  for (const ledger::Command* command : commands) {
    static_cast<const CatalogCommand&>(*command).AddTo(writes);
  }
  InsertOrders(tx, writes.orders);
  ChangeOrders(tx, writes.order_changes);
  InsertVouchers(tx, writes.vouchers);
  InsertUses(tx, writes.uses);
  EndVouchers(tx, writes.ended_vouchers);
  RefundUses(tx, writes.use_refunds);
}

std::unique_ptr<ledger::Command> MakeCommand(CatalogRows& rows, const Uuid& request_id,
                                             const OrderRequest& asked) {
  auto command = std::make_unique<OrderCommand>(asked);
  Address(*command, rows, PartnerId(), request_id, asked.account);
  return command;
}

std::unique_ptr<ledger::Command> MakeStepCommand(CatalogRows& rows, PartnerId partner,
                                                 const Uuid& request_id, const Order& order,
                                                 OrderState to, Actor actor) {
  auto command = std::make_unique<StepCommand>(order, to, actor);
  Address(*command, rows, partner, request_id, order.account);
  return command;
}

std::unique_ptr<ledger::Command> MakeCommand(CatalogRows& rows, const Uuid& request_id,
                                             const VoucherRequest& asked) {
  auto command = std::make_unique<IssueCommand>(asked, rows.codes());
  Address(*command, rows, PartnerId(), request_id, asked.account);
  return command;
}

std::unique_ptr<ledger::Command> MakeCommand(CatalogRows& rows, PartnerId partner,
                                             const Uuid& request_id, const Voucher& voucher,
                                             const UseRequest& asked) {
  auto command = std::make_unique<UseCommand>(asked);
  Address(*command, rows, partner, request_id, voucher.account);
  return command;
}

std::unique_ptr<ledger::Command> MakeRefundCommand(CatalogRows& rows, PartnerId partner,
                                                   const Uuid& request_id, const Voucher& voucher) {
  auto command = std::make_unique<VoucherRefundCommand>(voucher);
  Address(*command, rows, partner, request_id, voucher.account);
  return command;
}

std::unique_ptr<ledger::Command> MakeRefundCommand(CatalogRows& rows, PartnerId partner,
                                                   const Uuid& request_id, const VoucherUse& use,
                                                   MinorUnits amount) {
  auto command = std::make_unique<UseRefundCommand>(use, amount);
  Address(*command, rows, partner, request_id, use.account);
  return command;
}

}  // namespace guilder::redemption
