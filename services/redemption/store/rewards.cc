#include "services/redemption/store/rewards.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "libs/base/reason.h"
#include "libs/postgres/connection.h"

namespace guilder::redemption {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

// Columns 0 to 21, which FromRow reads.
#define GUILDER_REWARD_COLUMNS_                                                                   \
  "r.reward_id, r.slug, r.kind, r.display_name, r.description, r.withdrawn, r.partner_id, "       \
  "r.store_id, r.price_ttl_seconds, r.stock_limited, r.per_member_limit, r.valid_from_us, "       \
  "r.valid_until_us, r.regions, r.confirm_within_days, r.face_amount, r.partner_ids, r.revision " \
  ", r.single_use, r.validity_days, r.limited_tiers, r.tier_limits "

// Columns 22 to 25: the names, and what is left.
#define GUILDER_REWARD_NAMES_                                                                     \
  ", coalesce(p.slug, ''), coalesce(s.code, ''), "                                                \
  "(select coalesce(string_agg(v.slug, E'\\n' order by v.slug), '') from partner.partners v "     \
  "  where v.partner_id = any(r.partner_ids)), "                                                  \
  "case when r.stock_limited then "                                                               \
  "  coalesce((select l.pool from ledger.limits l where l.limit_id = r.reward_id * 16::bigint + " \
  "3), 0) "                                                                                       \
  "  + (select coalesce(sum(a.remaining), 0)::bigint from ledger.books b "                        \
  "       join ledger.allowances a on a.book = b.book "                                           \
  "      where a.limit_id = r.reward_id * 16::bigint + 3) else 0 end "                            \
  "  from catalogue.rewards r "                                                                   \
  "  left join partner.partners p on p.partner_id = r.partner_id "                                \
  "  left join partner.stores s on s.store_id = r.store_id "

constexpr Statement kFind{"redemption.find_reward",
                          "select " GUILDER_REWARD_COLUMNS_ GUILDER_REWARD_NAMES_
                          " where r.slug = $1"};

constexpr Statement kLock{"redemption.lock_reward", R"sql(
  select 1 from catalogue.rewards where slug = $1 for no key update
)sql"};

constexpr Statement kList{
    "redemption.list_rewards",
    "select " GUILDER_REWARD_COLUMNS_ GUILDER_REWARD_NAMES_
    " where r.slug > $1 and ($2 or not r.withdrawn) order by r.slug limit $3"};

constexpr Statement kRead{"redemption.read_rewards",
                          "select " GUILDER_REWARD_COLUMNS_
                          " from catalogue.rewards r where r.reward_id = any($1::int[])"};

#undef GUILDER_REWARD_COLUMNS_
#undef GUILDER_REWARD_NAMES_

constexpr Statement kReadPrices{"redemption.read_prices", R"sql(
  select reward_id, version, points, money_amount, honoured_until_us
    from catalogue.reward_prices
   where reward_id = any($1::int[])
   order by reward_id, version desc
)sql"};

constexpr Statement kFindId{"redemption.find_reward_id", R"sql(
  select reward_id from catalogue.rewards where slug = $1
)sql"};

constexpr Statement kFindSupplier{"redemption.find_supplier", R"sql(
  select p.partner_id, s.store_id
    from partner.partners p
    join partner.stores s on s.partner_id = p.partner_id
   where p.slug = $1 and s.code = $2
)sql"};

constexpr Statement kFindPartners{"redemption.find_partners", R"sql(
  select partner_id from partner.partners where slug = any($1::text[]) order by partner_id
)sql"};

constexpr Statement kFindChange{"redemption.find_change", R"sql(
  select fingerprint, reward_id, changed_by from catalogue.reward_changes where request_id = $1
)sql"};

constexpr Statement kAddChange{"redemption.add_change", R"sql(
  insert into catalogue.reward_changes (request_id, fingerprint, reward_id, changed_by)
  values ($1, $2, $3, $4)
      on conflict (request_id) do nothing
)sql"};

constexpr Statement kInsert{"redemption.insert_reward", R"sql(
  insert into catalogue.rewards
    (slug, kind, display_name, description, withdrawn, partner_id, store_id, price_ttl_seconds,
     stock_limited, per_member_limit, valid_from_us, valid_until_us, regions, confirm_within_days,
     face_amount, partner_ids, single_use, validity_days, revision, limited_tiers, tier_limits)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
          $21)
      on conflict (slug) do nothing
  returning reward_id
)sql"};

constexpr Statement kUpdate{"redemption.update_reward", R"sql(
  update catalogue.rewards
     set display_name = $2, description = $3, withdrawn = $4, price_ttl_seconds = $5,
         per_member_limit = $6, valid_from_us = $7, valid_until_us = $8, regions = $9,
         confirm_within_days = $10, revision = $11, limited_tiers = $12, tier_limits = $13
   where reward_id = $1
)sql"};

constexpr Statement kInsertPrice{"redemption.insert_price", R"sql(
  insert into catalogue.reward_prices (reward_id, version, points, money_amount)
  values ($1, $2, $3, $4)
)sql"};

constexpr Statement kEndPrice{"redemption.end_price", R"sql(
  update catalogue.reward_prices set honoured_until_us = $3 where reward_id = $1 and version = $2
)sql"};

Reward FromRow(const Row& row) {
  Reward reward;
  reward.id = row.Id<RewardId>(0);
  reward.slug = row.Text(1);
  reward.kind = row.Enum<RewardKind>(2);
  reward.display_name = row.Text(3);
  reward.description = row.Text(4);
  reward.withdrawn = row.Bool(5);
  reward.supplier = row.OptionalId<PartnerId>(6).value_or(PartnerId());
  reward.store = row.OptionalId<StoreId>(7).value_or(StoreId());
  reward.price_ttl_seconds = static_cast<int>(row.Int(8));
  reward.stock_limited = row.Bool(9);
  reward.per_member_limit = static_cast<int>(row.Int(10));
  reward.valid_from = row.Id<Timestamp>(11);
  reward.valid_until = row.Id<Timestamp>(12);
  const std::string regions(row.Text(13));
  reward.regions = absl::StrSplit(regions, '\n', absl::SkipEmpty());
  reward.confirm_within_days = static_cast<int>(row.Int(14));
  reward.voucher.face = row.Id<MinorUnits>(15);
  for (const int64_t partner : row.IntArray(16)) {
    reward.voucher.partners.emplace_back(static_cast<int32_t>(partner));
  }
  reward.revision = row.Int(17);
  reward.voucher.single_use = row.Bool(18);
  reward.voucher.validity_days = static_cast<int>(row.Int(19));
  const std::string tiers(row.Text(20));
  const std::vector<int64_t> limits = row.IntArray(21);
  for (const absl::string_view tier : absl::StrSplit(tiers, '\n', absl::SkipEmpty())) {
    reward.tier_limits.push_back(
        {std::string(tier), static_cast<int>(limits.at(reward.tier_limits.size()))});
  }
  return reward;
}

// One a line.
std::string LimitedTiers(const Reward& reward) {
  return absl::StrJoin(reward.tier_limits, "\n",
                       [](std::string* out, const TierLimit& limit) { out->append(limit.tier); });
}

RewardRow ShownFromRow(const Row& row) {
  RewardRow shown;
  shown.reward = FromRow(row);
  shown.supplier_slug = row.Text(22);
  shown.store_code = row.Text(23);
  const std::string partners(row.Text(24));
  shown.voucher_partners = absl::StrSplit(partners, '\n', absl::SkipEmpty());
  shown.remaining_stock = row.Id<Points>(25);
  return shown;
}

std::map<RewardId, std::vector<Price>> ReadPrices(Transaction& tx,
                                                  const std::vector<RewardId>& ids) {
  std::map<RewardId, std::vector<Price>> prices;
  if (ids.empty()) return prices;
  for (const Row& row : tx.Execute(kReadPrices, Params().IntArray(ids))) {
    prices[row.Id<RewardId>(0)].push_back({static_cast<int32_t>(row.Int(1)), row.Id<Points>(2),
                                           row.Id<MinorUnits>(3),
                                           row.OptionalId<Timestamp>(4).value_or(kNever)});
  }
  return prices;
}

std::vector<RewardRow> WithPrices(Transaction& tx, const Rows& rows) {
  std::vector<RewardRow> shown;
  std::vector<RewardId> ids;
  for (const Row& row : rows) {
    shown.push_back(ShownFromRow(row));
    ids.push_back(shown.back().reward.id);
  }
  auto prices = ReadPrices(tx, ids);
  for (RewardRow& row : shown) row.reward.prices = std::move(prices[row.reward.id]);
  return shown;
}

}  // namespace

std::optional<RewardRow> FindReward(Transaction& tx, const std::string& slug) {
  std::vector<RewardRow> found = WithPrices(tx, tx.Execute(kFind, Params().Text(slug)));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::optional<RewardRow> LockReward(Transaction& tx, const std::string& slug) {
  // Read by a statement of its own: one that waits for the lock sees what was before the wait.
  if (tx.Execute(kLock, Params().Text(slug)).empty()) return std::nullopt;
  return FindReward(tx, slug);
}

std::vector<RewardRow> ListRewards(Transaction& tx, const std::string& after, bool withdrawn_too,
                                   int limit) {
  return WithPrices(tx, tx.Execute(kList, Params().Text(after).Bool(withdrawn_too).Int(limit)));
}

std::map<RewardId, Reward> ReadRewards(Transaction& tx, const std::vector<RewardId>& ids) {
  std::map<RewardId, Reward> rewards;
  if (ids.empty()) return rewards;
  for (const Row& row : tx.Execute(kRead, Params().IntArray(ids))) {
    Reward reward = FromRow(row);
    const RewardId id = reward.id;
    rewards.emplace(id, std::move(reward));
  }
  auto prices = ReadPrices(tx, ids);
  for (auto& [id, reward] : rewards) reward.prices = std::move(prices[id]);
  return rewards;
}

std::optional<RewardId> FindRewardId(Transaction& tx, const std::string& slug) {
  const Rows rows = tx.Execute(kFindId, Params().Text(slug));
  if (rows.empty()) return std::nullopt;
  return rows[0].Id<RewardId>(0);
}

std::optional<SupplierId> FindSupplier(Transaction& tx, const std::string& partner_slug,
                                       const std::string& store_code) {
  const Rows rows = tx.Execute(kFindSupplier, Params().Text(partner_slug).Text(store_code));
  if (rows.empty()) return std::nullopt;
  return SupplierId{rows[0].Id<PartnerId>(0), rows[0].Id<StoreId>(1)};
}

absl::StatusOr<std::vector<PartnerId>> FindPartners(Transaction& tx,
                                                    const std::vector<std::string>& slugs) {
  std::vector<std::string> distinct = slugs;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<PartnerId> partners;
  for (const Row& row : tx.Execute(kFindPartners, Params().TextArray(distinct))) {
    partners.push_back(row.Id<PartnerId>(0));
  }
  if (partners.size() != distinct.size()) return Refuse(Reason::kPartnerNotFound);
  return partners;
}

std::optional<RewardChange> FindChange(Transaction& tx, const Uuid& request_id) {
  const Rows rows = tx.Execute(kFindChange, Params().Uuid(request_id));
  if (rows.empty()) return std::nullopt;
  return RewardChange{request_id, rows[0].Digest(0), rows[0].Id<RewardId>(1),
                      std::string(rows[0].Text(2))};
}

bool AddChange(Transaction& tx, const RewardChange& change) {
  return tx.Execute(kAddChange, Params()
                                    .Uuid(change.request_id)
                                    .Bytes(change.fingerprint)
                                    .Int(change.reward)
                                    .Text(change.changed_by))
             .affected() == 1;
}

std::optional<RewardId> InsertReward(Transaction& tx, const Reward& reward) {
  const bool gift = reward.kind == RewardKind::kGift;
  const Rows rows =
      tx.Execute(kInsert, Params()
                              .Text(reward.slug)
                              .Int(reward.kind)
                              .Text(reward.display_name)
                              .Text(reward.description)
                              .Bool(reward.withdrawn)
                              .Int(gift ? std::optional(reward.supplier) : std::nullopt)
                              .Int(gift ? std::optional(reward.store) : std::nullopt)
                              .Int(reward.price_ttl_seconds)
                              .Bool(reward.stock_limited)
                              .Int(reward.per_member_limit)
                              .Int(reward.valid_from)
                              .Int(reward.valid_until)
                              .Text(absl::StrJoin(reward.regions, "\n"))
                              .Int(reward.confirm_within_days)
                              .Int(reward.voucher.face)
                              .IntArray(reward.voucher.partners)
                              .Bool(reward.voucher.single_use)
                              .Int(reward.voucher.validity_days)
                              .Int(reward.revision)
                              .Text(LimitedTiers(reward))
                              .IntArray(reward.tier_limits, &TierLimit::limit));
  if (rows.empty()) return std::nullopt;
  return rows[0].Id<RewardId>(0);
}

void UpdateReward(Transaction& tx, const Reward& reward) {
  tx.Execute(kUpdate, Params()
                          .Int(reward.id)
                          .Text(reward.display_name)
                          .Text(reward.description)
                          .Bool(reward.withdrawn)
                          .Int(reward.price_ttl_seconds)
                          .Int(reward.per_member_limit)
                          .Int(reward.valid_from)
                          .Int(reward.valid_until)
                          .Text(absl::StrJoin(reward.regions, "\n"))
                          .Int(reward.confirm_within_days)
                          .Int(reward.revision)
                          .Text(LimitedTiers(reward))
                          .IntArray(reward.tier_limits, &TierLimit::limit));
}

void InsertPrice(Transaction& tx, RewardId reward, const Price& price) {
  tx.Execute(kInsertPrice,
             Params().Int(reward).Int(price.version).Int(price.points).Int(price.money));
}

void EndPrice(Transaction& tx, RewardId reward, const Price& price) {
  tx.Execute(kEndPrice, Params().Int(reward).Int(price.version).Int(price.honoured_until));
}

}  // namespace guilder::redemption
