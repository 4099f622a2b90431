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

// A partner's balance is what it is owed less what it owes. Statements of a settlement end with the
// transaction that its approval noted; those of the one before it in the currency, too. What is
// paid of a loss does not move the account: it is paid, and makes the loss less. An entry concerns
// the partner whose account it moves, but for a default, which concerns who bears the loss.
constexpr Statement kReadBalance{"documents.read_balance", R"sql(
  with bounds as (
    select coalesce(max(money_number) filter (where settlement_id < $1), 0) as before,
           max(money_number) filter (where settlement_id = $1) as until
      from settlement.settlements
     where currency = $3
       and settlement_id <= $1
       and state <> 'COMPUTED'),
  changes as (
    select e.number, t.kind = 'SETTLEMENT' and t.settlement_id = $1 as own,
           e.amount * ((e.credit_account in ('PARTNER_RECEIVABLE', 'PARTNER_PAYABLE')
                        and e.credit_partner = $2)::int
                       - (e.debit_account in ('PARTNER_RECEIVABLE', 'PARTNER_PAYABLE')
                          and e.debit_partner = $2)::int) as change,
           e.amount * ((e.debit_account in ('BANK', 'SUSPENSE')
                        and e.credit_account in ('PARTNER_RECEIVABLE', 'PARTNER_PAYABLE', 'LOSSES'))::int
                       - (e.credit_account in ('BANK', 'SUSPENSE')
                          and e.debit_account in ('PARTNER_RECEIVABLE', 'PARTNER_PAYABLE',
                                                  'LOSSES'))::int) as paid,
           e.amount * ((e.debit_account = 'LOSSES')::int
                       - (e.credit_account = 'LOSSES')::int) as lost
      from settlement.money_entries e
      join settlement.money_transactions t using (number)
     where t.currency = $3
       and (e.partner_id = $2
            or (e.credit_partner = $2 and e.credit_partner is distinct from e.partner_id)
            or (e.debit_partner = $2 and e.debit_partner is distinct from e.partner_id))
       and (coalesce(e.debit_partner, 0) = $2
            or coalesce(e.credit_partner, 0) = $2
            or ('LOSSES' in (e.debit_account, e.credit_account)
                and (e.debit_account in ('BANK', 'SUSPENSE')
                     or e.credit_account in ('BANK', 'SUSPENSE')))))
  select coalesce(sum(change) filter (where number <= before), 0)::bigint,
         coalesce(sum(paid) filter (where number > before and not own), 0)::bigint,
         coalesce(sum(lost) filter (where number > before and not own), 0)::bigint,
         coalesce(sum(change) filter (where own), 0)::bigint,
         coalesce(sum(change), 0)::bigint
    from changes, bounds
   where number <= until
)sql"};

// An adjustment's money is posted under its name.
constexpr Statement kReadNotesSince{"documents.read_notes_since", R"sql(
  with bounds as (
    select coalesce(max(money_number) filter (where settlement_id < $1), 0) as before,
           max(money_number) filter (where settlement_id = $1) as until
      from settlement.settlements
     where currency = $3
       and settlement_id <= $1
       and state <> 'COMPUTED')
  select n.credit_note_number
    from bounds b
    join settlement.money_transactions t
      on t.number > b.before and t.number <= b.until and t.kind = 'ADJUSTMENT' and t.currency = $3
    join settlement.adjustments a
      on t.idempotency_key = 'adjustments/' || a.adjustment_id and a.partner_id = $2
    join settlement.credit_notes n using (adjustment_id)
   order by n.credit_note_number
)sql"};

// Windows whose days were not noted count as one day, that of their start.
constexpr Statement kReadDays{"documents.read_days", R"sql(
  select m.day_us, sum(m.issued)::bigint, sum(m.redeemed)::bigint
    from (select d.day_us, d.issued, d.redeemed
            from settlement.settlements s
            join settlement.daily_points d
              on d.window_start_us >= s.start_us and d.window_start_us < s.end_us
                 and d.currency = s.currency
           where s.settlement_id = $1
           union all
          select p.window_start_us, case p.movement when 1 then p.points else 0 end,
                 case p.movement when 5 then p.points else 0 end
            from settlement.settlements s
            join ledger.positions p
              on p.window_start_us >= s.start_us and p.window_start_us < s.end_us
            join partner.contracts c on c.contract_id = p.contract_id and c.currency = s.currency
           where s.settlement_id = $1
             and p.movement in (1, 5)
             and not exists (select from settlement.daily_points d
                              where d.window_start_us = p.window_start_us
                                and d.book = p.book)) m
   group by m.day_us
   order by m.day_us
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
  balance.losses = rows[0].Id<MinorUnits>(2);
  balance.net = rows[0].Id<MinorUnits>(3);
  balance.closing = rows[0].Id<MinorUnits>(4);
  // Whatever else moved its account is what it was credited.
  balance.credits =
      balance.closing - balance.opening - balance.payments - balance.losses - balance.net;
  return balance;
}

std::vector<std::string> ReadNotesSince(Transaction& transaction, const Settlement& settlement,
                                        PartnerId partner) {
  std::vector<std::string> numbers;
  for (const Row& row : transaction.Execute(
           kReadNotesSince,
           Params().Int(settlement.id).Int(partner).Text(FormatCurrency(settlement.currency)))) {
    numbers.emplace_back(row.Text(0));
  }
  return numbers;
}

std::vector<ReportDay> ReadDays(Transaction& transaction, SettlementId settlement) {
  std::vector<ReportDay> days;
  for (const Row& row : transaction.Execute(kReadDays, Params().Int(settlement))) {
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
