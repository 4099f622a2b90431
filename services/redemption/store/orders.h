// Orders of gifts, as their tables have them. Each function runs in the caller's transaction, and
// is one statement for all that it is given; none for nothing.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/types.h"
#include "services/redemption/domain/order.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::redemption {

// A book, and the number of a record in it.
using RecordKey = std::pair<BookId, RecordNumber>;

// How many pieces of a reward each of different members has ordered and not called off or returned,
// or how many vouchers it was issued. Those that have none are not there.
using RewardOf = std::pair<AccountId, RewardId>;
std::map<RewardOf, int64_t> CountOrdered(postgres::Transaction& tx,
                                         const std::vector<RewardOf>& asked);
std::map<RewardOf, int64_t> CountVouchers(postgres::Transaction& tx,
                                          const std::vector<RewardOf>& asked);

// Of these members, those whose spending is locked after wrong PINs.
std::set<AccountId> FindLocked(postgres::Transaction& tx, const std::set<AccountId>& accounts);

// The tiers of these members now; of those that have one.
std::map<AccountId, std::string> ReadTiers(postgres::Transaction& tx,
                                           const std::set<AccountId>& accounts);

std::map<RecordKey, Order> ReadOrders(postgres::Transaction& tx,
                                      const std::vector<RecordKey>& keys);

void InsertOrders(postgres::Transaction& tx, const std::vector<Order>& orders);

struct OrderChange {
  RecordKey order;
  OrderState state{};
  Timestamp updated_at;
};
void ChangeOrders(postgres::Transaction& tx, const std::vector<OrderChange>& changes);

// An order for showing.
struct OrderRow {
  Order order;
  std::string reward_slug;
  std::string supplier_slug;
  std::string store_code;
  // The time of its book, by which it may have lapsed.
  Timestamp now;
};

// Who sees orders: all, those of a member, or those that a partner supplies.
struct SeenBy {
  AccountId account;
  PartnerId partner;
};
std::optional<OrderRow> FindOrder(postgres::Transaction& tx, const RecordKey& key);
// Those after a key, by key; in a state as of now, where one is given.
std::vector<OrderRow> ListOrders(postgres::Transaction& tx, const SeenBy& seen_by,
                                 std::optional<OrderState> state, const RecordKey& after,
                                 int limit);

// Orders that nobody confirmed in time and that were not called off yet, the earliest first.
std::vector<Order> FindLapsed(postgres::Transaction& tx, int limit);

}  // namespace guilder::redemption
