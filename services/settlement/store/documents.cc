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
    from settlement.windows w
    left join ledger.positions p using (window_start_us)
   where w.settlement_id = $1
   group by w.window_start_us
   order by w.window_start_us
)sql"};

constexpr Statement kReadBooks{"documents.read_books", R"sql(
  select book from ledger.books order by book
)sql"};

// A lot is as old as the record that it is named by (LotId).
constexpr Statement kReadOutstanding{"documents.read_outstanding", R"sql(
  select p.slug, a.age, sum(a.remaining)::bigint
    from (select l.issuer_id, l.remaining,
                 case when j.posted_at_us > $2 - 30 * 86400000000 then 0
                      when j.posted_at_us > $2 - 90 * 86400000000 then 1
                      when j.posted_at_us > $2 - 180 * 86400000000 then 2
                      when j.posted_at_us > $2 - 365 * 86400000000 then 3
                      else 4 end as age
            from ledger.lots l
            join ledger.journal j on j.book = l.book and j.number = l.lot_id / 1024
           where l.book = $1
             and l.remaining > 0) a
    join partner.partners p on p.partner_id = a.issuer_id
   group by p.slug, a.age
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

std::vector<BookId> ReadBooks(Transaction& transaction) {
  std::vector<BookId> books;
  for (const Row& row : transaction.Execute(kReadBooks)) books.push_back(row.Id<BookId>(0));
  return books;
}

std::map<std::string, ReportIssuer> ReadOutstanding(Transaction& transaction, BookId book,
                                                    Timestamp now) {
  std::map<std::string, ReportIssuer> outstanding;
  for (const Row& row : transaction.Execute(kReadOutstanding, Params().Int(book).Int(now))) {
    ReportIssuer& issuer = outstanding[std::string(row.Text(0))];
    issuer.slug = row.Text(0);
    issuer.by_age[row.Int(1)] += row.Id<Points>(2);
  }
  return outstanding;
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
