#include "services/redemption/store/orders.h"

#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"

namespace guilder::redemption {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kCountOrdered{"redemption.count_ordered", R"sql(
  select w.account_id, w.reward_id, sum(o.quantity)::bigint
    from unnest($1::int[], $2::bigint[], $3::int[]) as w (book, account_id, reward_id)
    join catalogue.orders o
      on o.book = w.book and o.account_id = w.account_id and o.reward_id = w.reward_id
   where o.state not in ($4::smallint, $5::smallint)
   group by w.account_id, w.reward_id
)sql"};

constexpr Statement kCountVouchers{"redemption.count_vouchers", R"sql(
  select w.account_id, w.reward_id, count(*)
    from unnest($1::int[], $2::bigint[], $3::int[]) as w (book, account_id, reward_id)
    join catalogue.vouchers v
      on v.book = w.book and v.account_id = w.account_id and v.reward_id = w.reward_id
   group by w.account_id, w.reward_id
)sql"};

constexpr Statement kFindLocked{"redemption.find_locked", R"sql(
  select m.account_id
    from unnest($1::int[], $2::bigint[]) as w (book, account_id)
    join redemption.members m on m.book = w.book and m.account_id = w.account_id
   where m.locked_at_us is not null
)sql"};

// The clock is that of the lane's record, to some milliseconds.
constexpr Statement kReadTiers{"redemption.read_tiers", R"sql(
  select distinct on (t.account_id) t.account_id, t.tier
    from unnest($1::int[], $2::bigint[]) as w (book, account_id)
    join ledger.books b on b.book = w.book
    join member.tiers t on t.book = w.book and t.account_id = w.account_id
   where t.from_us <= greatest(b.last_posted_at_us, b.clock_offset_us
                               + (extract(epoch from clock_timestamp()) * 1000000)::bigint)
   order by t.account_id, t.from_us desc, t.number desc
)sql"};

// Columns 0 to 15, which FromRow reads.
#define GUILDER_ORDER_COLUMNS_                                                                    \
  "o.book, o.number, o.account_id, o.reward_id, o.partner_id, o.store_id, o.quantity, o.points, " \
  "o.money_amount, o.price_version, o.state, o.ordered_at_us, o.confirm_by_us, o.updated_at_us, " \
  "o.region, o.reference "

// Columns 16 to 19.
#define GUILDER_ORDER_NAMES_                                                   \
  ", r.slug, p.slug, s.code, greatest(b.last_posted_at_us, b.clock_offset_us " \
  "+ (extract(epoch from clock_timestamp()) * 1000000)::bigint) "              \
  "from catalogue.orders o join ledger.books b on b.book = o.book "            \
  "join catalogue.rewards r on r.reward_id = o.reward_id "                     \
  "join partner.partners p on p.partner_id = o.partner_id "                    \
  "join partner.stores s on s.store_id = o.store_id "

constexpr Statement kRead{"redemption.read_orders", "select " GUILDER_ORDER_COLUMNS_ R"sql(
    from unnest($1::int[], $2::bigint[]) as w (book, number)
    join catalogue.orders o on o.book = w.book and o.number = w.number
)sql"};

constexpr Statement kFind{"redemption.find_order",
                          "select " GUILDER_ORDER_COLUMNS_ GUILDER_ORDER_NAMES_
                          "where o.book = $1 and o.number = $2"};

// A state as of now: 1 with its time over counts as 6.
#define GUILDER_ORDER_PAGE_                                                                   \
  "and (o.book, o.number) > ($1, $2) "                                                        \
  "and ($3::smallint is null or $3::smallint = case when o.state = 1 and o.confirm_by_us <= " \
  "  greatest(b.last_posted_at_us, b.clock_offset_us "                                        \
  "  + (extract(epoch from clock_timestamp()) * 1000000)::bigint) then 6 else o.state end) "  \
  "order by o.book, o.number limit $4"

constexpr Statement kListAll{"redemption.list_orders",
                             "select " GUILDER_ORDER_COLUMNS_ GUILDER_ORDER_NAMES_
                             "where true " GUILDER_ORDER_PAGE_};
constexpr Statement kListOfMember{"redemption.list_orders_of_member",
                                  "select " GUILDER_ORDER_COLUMNS_ GUILDER_ORDER_NAMES_
                                  "where o.book = $5 and o.account_id = $6 " GUILDER_ORDER_PAGE_};
constexpr Statement kListOfPartner{"redemption.list_orders_of_partner",
                                   "select " GUILDER_ORDER_COLUMNS_ GUILDER_ORDER_NAMES_
                                   "where o.partner_id = $5 " GUILDER_ORDER_PAGE_};

constexpr Statement kLapsed{"redemption.lapsed_orders", "select " GUILDER_ORDER_COLUMNS_ R"sql(
    from catalogue.orders o
    join ledger.books b on b.book = o.book
   where o.state = 1
     and o.confirm_by_us <= b.clock_offset_us + (extract(epoch from clock_timestamp()) * 1000000)::bigint
   order by o.confirm_by_us
   limit $1
)sql"};

#undef GUILDER_ORDER_COLUMNS_
#undef GUILDER_ORDER_NAMES_
#undef GUILDER_ORDER_PAGE_

constexpr Statement kInsert{"redemption.insert_orders", R"sql(
  insert into catalogue.orders
    (book, number, account_id, reward_id, partner_id, store_id, quantity, points, money_amount,
     price_version, state, ordered_at_us, confirm_by_us, updated_at_us, region, reference)
  select * from unnest($1::int[], $2::bigint[], $3::bigint[], $4::int[], $5::int[], $6::int[],
                       $7::bigint[], $8::bigint[], $9::bigint[], $10::int[], $11::smallint[],
                       $12::bigint[], $13::bigint[], $14::bigint[], $15::text[], $16::text[])
)sql"};

constexpr Statement kChange{"redemption.change_orders", R"sql(
  update catalogue.orders o
     set state = w.state, updated_at_us = w.updated_at_us
    from unnest($1::int[], $2::bigint[], $3::smallint[], $4::bigint[])
           as w (book, number, state, updated_at_us)
   where o.book = w.book and o.number = w.number
)sql"};

Order FromRow(const Row& row) {
  Order order;
  order.book = row.Id<BookId>(0);
  order.number = row.Id<RecordNumber>(1);
  order.account = row.Id<AccountId>(2);
  order.reward = row.Id<RewardId>(3);
  order.supplier = row.Id<PartnerId>(4);
  order.store = row.Id<StoreId>(5);
  order.quantity = row.Int(6);
  order.points = row.Id<Points>(7);
  order.money = row.Id<MinorUnits>(8);
  order.price_version = static_cast<int32_t>(row.Int(9));
  order.state = row.Enum<OrderState>(10);
  order.ordered_at = row.Id<Timestamp>(11);
  order.confirm_by = row.Id<Timestamp>(12);
  order.updated_at = row.Id<Timestamp>(13);
  order.region = row.Text(14);
  order.reference = row.Text(15);
  return order;
}

OrderRow ShownFromRow(const Row& row) {
  return {FromRow(row), std::string(row.Text(16)), std::string(row.Text(17)),
          std::string(row.Text(18)), row.Id<Timestamp>(19)};
}

std::map<RewardOf, int64_t> Counts(const Rows& rows) {
  std::map<RewardOf, int64_t> counts;
  for (const Row& row : rows) {
    counts[{row.Id<AccountId>(0), row.Id<RewardId>(1)}] = row.Int(2);
  }
  return counts;
}

Params ParamsOf(const std::vector<RewardOf>& asked) {
  return std::move(Params()
                       .IntArray(asked, [](const RewardOf& of) { return ledger::BookOf(of.first); })
                       .IntArray(asked, &RewardOf::first)
                       .IntArray(asked, &RewardOf::second));
}

}  // namespace

std::map<RewardOf, int64_t> CountOrdered(Transaction& tx, const std::vector<RewardOf>& asked) {
  if (asked.empty()) return {};
  Params params = ParamsOf(asked);
  params.Int(OrderState::kReturned).Int(OrderState::kCancelled);
  return Counts(tx.Execute(kCountOrdered, params));
}

std::map<RewardOf, int64_t> CountVouchers(Transaction& tx, const std::vector<RewardOf>& asked) {
  if (asked.empty()) return {};
  return Counts(tx.Execute(kCountVouchers, ParamsOf(asked)));
}

std::set<AccountId> FindLocked(Transaction& tx, const std::set<AccountId>& accounts) {
  std::set<AccountId> locked;
  if (accounts.empty()) return locked;
  const Params params = Params().IntArray(accounts, ledger::BookOf).IntArray(accounts);
  for (const Row& row : tx.Execute(kFindLocked, params)) locked.insert(row.Id<AccountId>(0));
  return locked;
}

std::map<AccountId, std::string> ReadTiers(Transaction& tx, const std::set<AccountId>& accounts) {
  std::map<AccountId, std::string> tiers;
  if (accounts.empty()) return tiers;
  const Params params = Params().IntArray(accounts, ledger::BookOf).IntArray(accounts);
  for (const Row& row : tx.Execute(kReadTiers, params)) {
    if (!row.Text(1).empty()) tiers.emplace(row.Id<AccountId>(0), row.Text(1));
  }
  return tiers;
}

std::map<RecordKey, Order> ReadOrders(Transaction& tx, const std::vector<RecordKey>& keys) {
  std::map<RecordKey, Order> orders;
  if (keys.empty()) return orders;
  const Params params =
      Params().IntArray(keys, &RecordKey::first).IntArray(keys, &RecordKey::second);
  for (const Row& row : tx.Execute(kRead, params)) {
    const Order order = FromRow(row);
    orders.emplace(RecordKey(order.book, order.number), order);
  }
  return orders;
}

void InsertOrders(Transaction& tx, const std::vector<Order>& orders) {
  if (orders.empty()) return;
  tx.Execute(kInsert, Params()
                          .IntArray(orders, &Order::book)
                          .IntArray(orders, &Order::number)
                          .IntArray(orders, &Order::account)
                          .IntArray(orders, &Order::reward)
                          .IntArray(orders, &Order::supplier)
                          .IntArray(orders, &Order::store)
                          .IntArray(orders, &Order::quantity)
                          .IntArray(orders, &Order::points)
                          .IntArray(orders, &Order::money)
                          .IntArray(orders, &Order::price_version)
                          .IntArray(orders, &Order::state)
                          .IntArray(orders, &Order::ordered_at)
                          .IntArray(orders, &Order::confirm_by)
                          .IntArray(orders, &Order::updated_at)
                          .TextArray(orders, &Order::region)
                          .TextArray(orders, &Order::reference));
}

void ChangeOrders(Transaction& tx, const std::vector<OrderChange>& changes) {
  if (changes.empty()) return;
  tx.Execute(kChange, Params()
                          .IntArray(changes, [](const OrderChange& c) { return c.order.first; })
                          .IntArray(changes, [](const OrderChange& c) { return c.order.second; })
                          .IntArray(changes, &OrderChange::state)
                          .IntArray(changes, &OrderChange::updated_at));
}

std::optional<OrderRow> FindOrder(Transaction& tx, const RecordKey& key) {
  const Rows rows = tx.Execute(kFind, Params().Int(key.first).Int(key.second));
  if (rows.empty()) return std::nullopt;
  return ShownFromRow(rows[0]);
}

std::vector<OrderRow> ListOrders(Transaction& tx, const SeenBy& seen_by,
                                 std::optional<OrderState> state, const RecordKey& after,
                                 int limit) {
  Params params = Params().Int(after.first).Int(after.second).Int(state).Int(limit);
  const Statement* statement = &kListAll;
  if (seen_by.account) {
    statement = &kListOfMember;
    params.Int(ledger::BookOf(seen_by.account)).Int(seen_by.account);
    if (seen_by.partner) return {};
  } else if (seen_by.partner) {
    statement = &kListOfPartner;
    params.Int(seen_by.partner);
  }
  std::vector<OrderRow> orders;
  for (const Row& row : tx.Execute(*statement, params)) orders.push_back(ShownFromRow(row));
  return orders;
}

std::vector<Order> FindLapsed(Transaction& tx, int limit) {
  std::vector<Order> orders;
  for (const Row& row : tx.Execute(kLapsed, Params().Int(limit))) orders.push_back(FromRow(row));
  return orders;
}

}  // namespace guilder::redemption
