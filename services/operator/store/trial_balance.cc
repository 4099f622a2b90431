#include "services/operator/store/trial_balance.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/ledger/core/account.h"

namespace guilder::operator_ {
namespace {

using ledger::Bucket;
using postgres::Params;
using postgres::Row;
using postgres::Statement;
using postgres::Transaction;

// One statement, so that all books are seen at one instant. Credits less debits: what members have
// is owed to them, a debt is owed by them.
constexpr Statement kPoints{"operator.points_balance", R"sql(
  select b.bucket, b.slug, sum(b.balance)::bigint
    from (select v.bucket, '' as slug, v.balance
            from (select sum(pending) as pending, sum(available) as available, sum(held) as held,
                         -sum(debt) as debt
                    from ledger.accounts) a
           cross join lateral (values ($1::smallint, a.pending), ($2::smallint, a.available),
                                      ($3::smallint, a.held), ($4::smallint, a.debt))
                              as v (bucket, balance)
           where v.balance is not null
           union all
          select c.kind, coalesce(p.slug, ''), c.balance
            from ledger.control_accounts c
            left join partner.partners p using (partner_id)) b
   group by b.bucket, b.slug
   order by b.bucket, b.slug
)sql"};

constexpr Statement kMoney{"operator.money_balance", R"sql(
  with sides as (
    select e.*
      from settlement.money_entries e
      join settlement.money_transactions t using (number)
      join ledger.programmes g on g.currency = t.currency
  )
  select s.account, coalesce(p.slug, ''), sum(s.debit)::bigint, sum(s.credit)::bigint
    from (select debit_account as account, debit_partner as partner_id, amount as debit, 0 as credit
            from sides
           union all
          select credit_account, credit_partner, 0, amount
            from sides) s
    left join partner.partners p using (partner_id)
   group by s.account, p.slug
   order by s.account, p.slug
)sql"};

std::string AccountOf(std::string_view account, std::string_view slug) {
  if (slug.empty()) return std::string(account);
  return absl::StrCat(ToAbsl(account), " partners/", ToAbsl(slug));
}

}  // namespace

std::vector<BalanceLine> ReadPointsBalance(Transaction& transaction) {
  std::vector<BalanceLine> lines;
  for (const Row& row : transaction.Execute(kPoints, Params()
                                                         .Int(Bucket::kPending)
                                                         .Int(Bucket::kAvailable)
                                                         .Int(Bucket::kHeld)
                                                         .Int(Bucket::kDebt))) {
    const int64_t balance = row.Int(2);
    lines.push_back({AccountOf(ledger::BucketName(row.Enum<Bucket>(0)), row.Text(1)),
                     std::max<int64_t>(-balance, 0), std::max<int64_t>(balance, 0)});
  }
  return lines;
}

std::vector<BalanceLine> ReadMoneyBalance(Transaction& transaction) {
  std::vector<BalanceLine> lines;
  for (const Row& row : transaction.Execute(kMoney)) {
    lines.push_back({AccountOf(row.Text(0), row.Text(1)), row.Int(2), row.Int(3)});
  }
  return lines;
}

}  // namespace guilder::operator_
