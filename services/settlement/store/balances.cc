#include "services/settlement/store/balances.h"

#include "libs/base/text.h"
#include "libs/postgres/connection.h"

namespace guilder::settlement {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kReadAccountSums{"settlement.read_account_sums", R"sql(
  with sides as (
    select t.currency, e.debit_account, e.debit_partner, e.credit_account, e.credit_partner, e.amount
      from settlement.money_transactions t
      join settlement.money_entries e using (number)
     where t.posted_at_us < $1
  )
  select s.currency, s.account, s.partner_id, sum(s.debit)::bigint, sum(s.credit)::bigint
    from (select currency, debit_account as account, debit_partner as partner_id, amount as debit,
                 0 as credit
            from sides
           union all
          select currency, credit_account, credit_partner, 0, amount
            from sides) s
   group by s.currency, s.account, s.partner_id
   order by s.currency, s.account collate "C", s.partner_id
)sql"};

constexpr Statement kReadHead{"settlement.read_money_head", R"sql(
  select number, root
    from settlement.money_transactions
   where posted_at_us < $1
   order by number desc
   limit 1
)sql"};

}  // namespace

std::vector<AccountSums> ReadAccountSums(Transaction& transaction, Timestamp until) {
  std::vector<AccountSums> sums;
  for (const Row& row : transaction.Execute(kReadAccountSums, Params().Int(until))) {
    sums.push_back({ParseCurrency(row.Text(0)).value(), std::string(row.Text(1)),
                    row.OptionalId<PartnerId>(2).value_or(PartnerId()), row.Id<MinorUnits>(3),
                    row.Id<MinorUnits>(4)});
  }
  return sums;
}

MoneyHead ReadMoneyHead(Transaction& transaction, Timestamp until) {
  const Rows rows = transaction.Execute(kReadHead, Params().Int(until));
  if (rows.empty()) return {};
  return {rows[0].Id<MoneyNumber>(0), rows[0].Digest(1)};
}

}  // namespace guilder::settlement
