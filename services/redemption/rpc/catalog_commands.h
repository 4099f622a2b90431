// The catalogue's commands: the domain's deciders as lanes run them, and the rows that they read
// and write in the lane's transaction.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/store/command.h"
#include "services/redemption/domain/order.h"
#include "services/redemption/domain/voucher.h"
#include "services/redemption/rpc/voucher_codes.h"
#include "services/redemption/store/orders.h"
#include "services/redemption/store/vouchers.h"

namespace guilder::redemption {

// What the commands of a batch are decided over, as the database has it and as the commands before
// them left it.
struct CatalogBatch {
  std::map<RewardId, Reward> rewards;
  // By member and reward: pieces ordered, vouchers issued.
  std::map<RewardOf, int64_t> has;
  // Of members who order, where a reward asks for it.
  std::map<AccountId, std::string> tiers;
  // Members whose spending is locked.
  std::set<AccountId> locked;
  std::map<RecordKey, Order> orders;
  std::map<RecordKey, Voucher> vouchers;
  std::map<RecordKey, VoucherUse> uses;

  Holdings Of(const RewardOf& member) const;
};

// What a batch must read for one command.
struct CatalogNeeds {
  std::optional<RewardId> reward;
  std::optional<RewardOf> ordered;
  std::optional<RewardOf> issued;
  std::optional<RecordKey> order;
  std::optional<RecordKey> voucher;
  std::optional<RecordKey> use;
};

// What a batch writes.
struct CatalogWrites {
  std::vector<Order> orders;
  std::vector<OrderChange> order_changes;
  std::vector<NewVoucher> vouchers;
  std::vector<Used> uses;
  std::vector<RecordKey> ended_vouchers;
  std::vector<UseRefund> use_refunds;
};

class CatalogCommand : public ledger::Command {
 public:
  // Set by CatalogRows::Load, and shared by the commands of a batch.
  std::shared_ptr<CatalogBatch> batch;

  virtual CatalogNeeds Needs() const = 0;
  // Adds what an accepted command leaves; its place is known.
  virtual void AddTo(CatalogWrites& writes) const = 0;
};

// Serves all lanes at once.
class CatalogRows final : public ledger::RowStore {
 public:
  explicit CatalogRows(const security::Secrets& secrets) : codes_(secrets) {}

  void Load(postgres::Transaction& tx, const ledger::Configuration& configuration,
            const std::vector<ledger::Command*>& commands) override;
  void Write(postgres::Transaction& tx, const std::vector<ledger::Command*>& commands) override;

  const VoucherCodes& codes() const { return codes_; }

 private:
  const VoucherCodes codes_;
};

// Each takes what the domain made of a request. `partner` is whose request id it is: none for those
// of members and operators.

std::unique_ptr<ledger::Command> MakeCommand(CatalogRows& rows, const Uuid& request_id,
                                             const OrderRequest& asked);
std::unique_ptr<ledger::Command> MakeStepCommand(CatalogRows& rows, PartnerId partner,
                                                 const Uuid& request_id, const Order& order,
                                                 OrderState to, Actor actor);
std::unique_ptr<ledger::Command> MakeCommand(CatalogRows& rows, const Uuid& request_id,
                                             const VoucherRequest& asked);
std::unique_ptr<ledger::Command> MakeCommand(CatalogRows& rows, PartnerId partner,
                                             const Uuid& request_id, const Voucher& voucher,
                                             const UseRequest& asked);
std::unique_ptr<ledger::Command> MakeRefundCommand(CatalogRows& rows, PartnerId partner,
                                                   const Uuid& request_id, const Voucher& voucher);
std::unique_ptr<ledger::Command> MakeRefundCommand(CatalogRows& rows, PartnerId partner,
                                                   const Uuid& request_id, const VoucherUse& use,
                                                   MinorUnits amount);

}  // namespace guilder::redemption
