#include "services/settlement/store/documents.h"

#include "libs/base/text.h"
#include "libs/postgres/connection.h"

namespace guilder::settlement {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

// A partner's balance is what it is owed less what it owes. `before` is the last settlement's
// transaction before this one's, which is `own`.
constexpr Statement kReadBalance{"documents.read_balance", R"sql(
  with bounds as (
    select coalesce(max(number) filter (where settlement_id < $1), 0) as before,
           max(number) filter (where settlement_id = $1) as own
      from settlement.money_transactions
     where kind = 'SETTLEMENT'
       and currency = $3
       and settlement_id <= $1),
  changes as (
    select e.number,
           e.amount * ((e.credit_account in ('PARTNER_RECEIVABLE', 'PARTNER_PAYABLE')
                        and e.credit_partner = $2)::int
                       - (e.debit_account in ('PARTNER_RECEIVABLE', 'PARTNER_PAYABLE')
                          and e.debit_partner = $2)::int) as change
      from settlement.money_entries e
      join settlement.money_transactions t using (number)
     where e.partner_id = $2
       and t.currency = $3)
  select coalesce(sum(change) filter (where number <= before), 0)::bigint,
         coalesce(sum(change) filter (where number > before and number < own), 0)::bigint,
         coalesce(sum(change) filter (where number = own), 0)::bigint
    from changes, bounds
)sql"};

constexpr Statement kReadWindowPoints{"documents.read_window_points", R"sql(
  select w.window_start_us,
         coalesce(sum(p.points) filter (where p.movement = 1), 0)::bigint,
         coalesce(sum(p.points) filter (where p.movement = 5), 0)::bigint
    from settlement.settlements s
    join settlement.windows w
      on w.window_start_us >= s.start_us and w.window_start_us < s.end_us
    left join (ledger.positions p join partner.contracts c using (contract_id))
      on p.window_start_us = w.window_start_us and c.currency = s.currency
   where s.settlement_id = $1
   group by w.window_start_us
   order by w.window_start_us
)sql"};

constexpr Statement kListInvoices{"documents.list_invoices", R"sql(
  select n.number
    from (select invoice_number as number, settlement_id, partner_id
            from settlement.invoices
           union all
          select c.credit_note_number, a.settlement_id, a.partner_id
            from settlement.credit_notes c
            join settlement.adjustments a using (adjustment_id)) n
   where ($1::int is null or n.settlement_id = $1)
     and ($2::int is null or n.partner_id = $2)
     and n.number collate "C" > $3
   order by n.number collate "C"
   limit $4
)sql"};

}  // namespace

StatementBalance ReadStatementBalance(Transaction& transaction, const Settlement& settlement,
                                      PartnerId partner) {
  const Rows rows = transaction.Execute(
      kReadBalance,
      Params().Int(settlement.id).Int(partner).Text(FormatCurrency(settlement.currency)));
  StatementBalance balance;
  balance.opening = rows[0].Id<MinorUnits>(0);
  balance.payments = rows[0].Id<MinorUnits>(1);
  balance.net = rows[0].Id<MinorUnits>(2);
  balance.closing = balance.opening + balance.payments + balance.net;
  return balance;
}

std::vector<ReportDay> ReadWindowPoints(Transaction& transaction, SettlementId settlement) {
  std::vector<ReportDay> days;
  for (const Row& row : transaction.Execute(kReadWindowPoints, Params().Int(settlement))) {
    days.push_back({row.Id<Timestamp>(0), row.Id<Points>(1), row.Id<Points>(2)});
  }
  return days;
}

std::vector<std::string> ListInvoiceNumbers(Transaction& transaction, const InvoiceFilter& filter,
                                            const std::string& after, int limit) {
  std::vector<std::string> numbers;
  for (const Row& row : transaction.Execute(
           kListInvoices,
           Params().Int(filter.settlement).Int(filter.partner).Text(after).Int(limit))) {
    numbers.emplace_back(row.Text(0));
  }
  return numbers;
}

}  // namespace guilder::settlement
