#include "services/settlement/store/liability.h"

#include "libs/base/text.h"
#include "libs/ledger/core/entry.h"
#include "libs/postgres/connection.h"

namespace guilder::settlement {
namespace {

using ledger::Movement;
using postgres::Params;
using postgres::Row;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kFindLastSealed{"settlement.find_last_sealed", R"sql(
  select max(window_start_us) from settlement.windows
)sql"};

// Per window, what was issued and came back is outstanding, less what was reversed, spent or
// expired, with what was reinstated. Points that had expired and are taken back count as reversed;
// they were not outstanding any more, so they are added again.
constexpr Statement kReadOutstanding{"settlement.read_outstanding", R"sql(
  select (select coalesce(sum(case when p.movement in ($2::smallint, $3::smallint, $7::smallint)
                                        then p.points
                                   when p.movement <> $4::smallint then -p.points
                                   else 0 end), 0)
            from ledger.positions p
           where p.window_start_us < $1)::bigint
         + (select coalesce(sum(e.points), 0)
              from ledger.entries e
             where e.debit_bucket = $5::smallint
               and e.credit_bucket = $6::smallint
               and e.posted_at_us < $1)::bigint
)sql"};

constexpr Statement kReadPending{"settlement.read_pending", R"sql(
  select contract_id,
         sum(case when movement = $2::smallint then points else -points end)::bigint
    from ledger.positions
   where window_start_us < $1
     and movement in ($2, $3::smallint, $4::smallint, $5::smallint)
   group by contract_id
)sql"};

constexpr Statement kListMoneyRows{"settlement.list_money_rows", R"sql(
  select t.number, e.line, t.posted_at_us, t.kind, t.reference, e.cause, e.debit_account,
         coalesce(d.slug, ''), e.credit_account, coalesce(c.slug, ''), t.currency, e.amount
    from settlement.money_entries e
    join settlement.money_transactions t using (number)
    left join partner.partners d on d.partner_id = e.debit_partner
    left join partner.partners c on c.partner_id = e.credit_partner
   where (e.number, e.line) > ($1, $2)
   order by e.number, e.line
   limit $3
)sql"};

}  // namespace

std::optional<Timestamp> FindLastSealed(Transaction& transaction) {
  return transaction.Execute(kFindLastSealed)[0].OptionalId<Timestamp>(0);
}

Points ReadOutstanding(Transaction& transaction, Timestamp end) {
  return transaction
      .Execute(kReadOutstanding, Params()
                                     .Int(end)
                                     .Int(Movement::kIssued)
                                     .Int(Movement::kRefunded)
                                     .Int(Movement::kActivated)
                                     .Int(ledger::Bucket::kExpired)
                                     .Int(ledger::Bucket::kIssued)
                                     .Int(Movement::kReinstated))[0]
      .Id<Points>(0);
}

std::map<ContractId, Points> ReadPending(Transaction& transaction, Timestamp end) {
  std::map<ContractId, Points> pending;
  for (const Row& row : transaction.Execute(kReadPending, Params()
                                                              .Int(end)
                                                              .Int(Movement::kIssued)
                                                              .Int(Movement::kActivated)
                                                              .Int(Movement::kReversedPending)
                                                              .Int(Movement::kExpiredPending))) {
    pending[row.Id<ContractId>(0)] = row.Id<Points>(1);
  }
  return pending;
}

std::vector<MoneyRow> ListMoneyRows(Transaction& transaction, int64_t after_number, int after_line,
                                    int limit) {
  std::vector<MoneyRow> found;
  for (const Row& row :
       transaction.Execute(kListMoneyRows, Params().Int(after_number).Int(after_line).Int(limit))) {
    found.push_back({row.Int(0), static_cast<int>(row.Int(1)), row.Id<Timestamp>(2),
                     std::string(row.Text(3)), std::string(row.Text(4)), std::string(row.Text(5)),
                     std::string(row.Text(6)), std::string(row.Text(7)), std::string(row.Text(8)),
                     std::string(row.Text(9)), ParseCurrency(row.Text(10)).value(),
                     row.Id<MinorUnits>(11)});
  }
  return found;
}

}  // namespace guilder::settlement
