#include "libs/ledger/store/verify_limits.h"

#include <map>

#include "absl/strings/str_cat.h"

#include "libs/ledger/core/entry.h"
#include "libs/ledger/core/limit.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kReadLimits{"verify.read_limits", R"sql(
  select limit_id, granted, pool from ledger.limits
)sql"};

constexpr Statement kReadAllowances{"verify.read_allowances", R"sql(
  select a.limit_id, sum(a.remaining)::bigint, min(a.remaining), count(*) - count(b.book)
    from ledger.allowances a
    left join ledger.books b on b.book = a.book
   group by a.limit_id
)sql"};

// Positions themselves are proved from entries.
constexpr Statement kReadSpent{"verify.read_spent", R"sql(
  select c.partner_id, sum(case when p.movement = $1::smallint then p.points else -p.points end)::bigint
    from partner.contracts c
    join ledger.positions p on p.contract_id = c.contract_id
   where c.funding = 'PREPAID_BLOCK'
     and p.movement in ($1::smallint, $2::smallint, $3::smallint)
   group by c.partner_id
)sql"};

// What partners on credit issued, in millionths of the major unit.
constexpr Statement kReadCredit{"verify.read_credit", R"sql(
  select l.limit_id,
         coalesce((select sum(case when p.movement = $1::smallint then p.points else -p.points end::numeric
                                * c.rate_micros)
                     from partner.contracts c
                     join partner.partners o on o.partner_id = c.partner_id
                     join ledger.programmes g on g.programme_id = o.programme_id and g.currency = c.currency
                     join ledger.positions p on p.contract_id = c.contract_id
                    where c.partner_id = l.limit_id / 16 and c.kind = 'ISSUANCE'
                      and c.state = 'APPROVED' and c.funding <> 'PREPAID_BLOCK'
                      and p.movement in ($1::smallint, $2::smallint, $3::smallint)), 0)::bigint
    from ledger.limits l
   where l.limit_id % 16 = $4
)sql"};

constexpr Statement kReadSold{"verify.read_sold_blocks", R"sql(
  select b.partner_id,
         sum(b.points)::bigint - coalesce((select sum(e.points)::bigint
                                             from partner.point_block_endings e
                                            where e.partner_id = b.partner_id), 0),
         count(*) = max(b.number)
    from partner.point_blocks b
   group by b.partner_id
)sql"};

// What books gave of limits of counters: the counters of no account are those of a book.
constexpr Statement kReadCounted{"verify.read_counted", R"sql(
  select counter_id, sum(points)::bigint from accrual.counters where account_id = 0 group by counter_id
)sql"};

// Pieces of rewards that are away: ordered and not given back, or issued and not refunded whole.
constexpr Statement kReadStock{"verify.read_stock", R"sql(
  select r.reward_id,
         (select coalesce(sum(o.quantity), 0)::bigint from catalogue.orders o
           where o.reward_id = r.reward_id and o.state not in (5, 6))
         + (select count(*) from catalogue.vouchers v
             where v.reward_id = r.reward_id and not (v.refunded and v.used_amount = 0))
    from catalogue.rewards r
   where r.stock_limited
)sql"};

// Everything that is known of one limit.
struct Limit {
  Points granted;
  Points pool;
  Points remaining;
  Points spent;
  Points sold;
};

std::map<LimitId, Limit> ReadLimits(Transaction& transaction, Findings& findings) {
  std::map<LimitId, Limit> limits;
  for (const Row& row : transaction.Execute(kReadLimits)) {
    const auto [found, is_new] = limits.try_emplace(row.Id<LimitId>(0));
    if (!is_new) {
      findings.Fail(CheckId::kLimits, absl::StrCat("limit ", row.Int(0), " is there twice"));
    }
    Limit& limit = found->second;
    limit.granted = row.Id<Points>(1);
    limit.pool = row.Id<Points>(2);
  }
  for (const Row& row : transaction.Execute(kReadAllowances)) {
    limits[row.Id<LimitId>(0)].remaining = row.Id<Points>(1);
    if (row.Int(2) < 0 || row.Int(3) != 0) {
      findings.Fail(CheckId::kLimits,
                    absl::StrCat("limit ", row.Int(0),
                                 row.Int(2) < 0 ? " has an allowance below zero"
                                                : " has an allowance of no book"));
    }
  }
  const Params movements =
      Params().Int(Movement::kIssued).Int(Movement::kReversed).Int(Movement::kReversedPending);
  for (const Row& row : transaction.Execute(kReadSpent, movements)) {
    limits[PointBlocksOf(row.Id<PartnerId>(0))].spent = row.Id<Points>(1);
  }
  const Params of_credit = Params()
                               .Int(Movement::kIssued)
                               .Int(Movement::kReversed)
                               .Int(Movement::kReversedPending)
                               .Int(static_cast<int64_t>(LimitKind::kCredit));
  for (const Row& row : transaction.Execute(kReadCredit, of_credit)) {
    limits[row.Id<LimitId>(0)].spent = row.Id<Points>(1);
  }
  for (const Row& row : transaction.Execute(kReadCounted)) {
    limits[LimitOfCounter(row.Int(0))].spent = row.Id<Points>(1);
  }
  for (const Row& row : transaction.Execute(kReadStock)) {
    limits[StockOf(row.Int(0))].spent = row.Id<Points>(1);
  }
  for (const Row& row : transaction.Execute(kReadSold)) {
    limits[PointBlocksOf(row.Id<PartnerId>(0))].sold = row.Id<Points>(1);
    if (!row.Bool(2)) {
      findings.Fail(CheckId::kLimits,
                    absl::StrCat("a point block of partner ", row.Int(0), " is missing"));
    }
  }
  return limits;
}

// Whose limit it is, for a finding.
std::string WhatOf(LimitId limit) {
  if (KindOf(limit) == LimitKind::kCounter) {
    return absl::StrCat(" of counter ", CounterOf(limit));
  }
  if (KindOf(limit) == LimitKind::kStock) return absl::StrCat(" of reward ", CounterOf(limit));
  return absl::StrCat(
      KindOf(limit) == LimitKind::kCredit ? " of the credit of partner " : " of partner ",
      PartnerOf(limit).value());
}

}  // namespace

void VerifyLimits(Transaction& transaction, Findings& findings) {
  for (const auto& [id, limit] : ReadLimits(transaction, findings)) {
    findings.Examined(CheckId::kLimits);
    if (limit.granted != limit.pool + limit.remaining + limit.spent) {
      findings.Fail(
          CheckId::kLimits,
          absl::StrCat("limit ", id.value(), WhatOf(id), ": granted ", limit.granted.value(),
                       ", but ", limit.pool.value(), " in the pool, ", limit.remaining.value(),
                       " in allowances, ", limit.spent.value(), " spent"));
    }
    if (KindOf(id) == LimitKind::kPointBlocks && limit.granted != limit.sold) {
      findings.Fail(
          CheckId::kLimits,
          absl::StrCat("limit ", id.value(), WhatOf(id), ": granted ", limit.granted.value(),
                       ", but open blocks are of ", limit.sold.value(), " points"));
    }
  }
}

}  // namespace guilder::ledger
