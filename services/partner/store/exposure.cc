#include "services/partner/store/exposure.h"

#include "libs/ledger/core/entry.h"
#include "libs/postgres/connection.h"

namespace guilder::partner {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

// What was issued and is billed afterwards, and blocks that were bought or ended. Windows tile
// time, so what is not settled is what comes after the last approved settlement. What was billed
// before is needed because settlements round what they billed in all. Movements count as in
// libs/netting/README.md.
constexpr Statement kRead{"partner.read_unbilled", R"sql(
  with settled as (
    select coalesce(max(end_us), 0) as until_us from settlement.settlements where state <> 'COMPUTED'
  ), billed as (
    select l.contract_id, sum(l.points)::bigint as points, sum(l.amount)::bigint as amount
      from settlement.lines l
      join settlement.settlements s on s.settlement_id = l.settlement_id
      join partner.contracts c on c.contract_id = l.contract_id
     where l.partner_id = $1
       and l.leg = case c.funding when 'PREPAID_BLOCK' then 'POINT_BLOCK' else 'ISSUANCE' end
       and s.state <> 'COMPUTED'
     group by l.contract_id
  ), moved as (
    select c.contract_id,
           sum(case when p.movement = $3::smallint and c.billed_at = 'POSTING' then p.points
                    when p.movement = $4::smallint and c.billed_at = 'ACTIVATION' then p.points
                    when p.movement = $5::smallint then -p.points
                    when p.movement = $6::smallint and c.billed_at = 'POSTING' then -p.points
                    else 0 end)::bigint as points
      from partner.contracts c
      join ledger.books b on b.programme_id = $2
      join ledger.positions p
        on p.book = b.book
       and p.window_start_us >= (select until_us from settled)
       and p.contract_id = c.contract_id
     where c.partner_id = $1
       and c.funding = 'POSTPAID'
     group by c.contract_id
     union all
    select b.contract_id, sum(b.points)::bigint
      from (select contract_id, points, bought_at_us as at_us
              from partner.point_blocks
             where partner_id = $1
               and contract_id is not null
             union all
            select b.contract_id, -e.points, e.ended_at_us
              from partner.point_block_endings e
              join partner.point_blocks b using (partner_id, number)
             where e.partner_id = $1
               and e.credited) as b
     where b.at_us >= (select until_us from settled)
     group by b.contract_id
  )
  select c.rate_micros, coalesce(m.points, 0), coalesce(b.points, 0), coalesce(b.amount, 0),
         g.currency_exponent
    from partner.contracts c
    join ledger.programmes g on g.programme_id = $2
    left join moved m on m.contract_id = c.contract_id
    left join billed b on b.contract_id = c.contract_id
   where c.partner_id = $1
     and c.kind = 'ISSUANCE'
     and c.state = 'APPROVED'
     and c.funding in ('POSTPAID', 'PREPAID_BLOCK')
     and c.currency = g.currency
)sql"};

}  // namespace

IssuanceToBill ReadIssuanceToBill(postgres::Transaction& transaction, PartnerId partner,
                                  ProgrammeId programme) {
  IssuanceToBill issuance;
  const Params params = Params()
                            .Int(partner)
                            .Int(programme)
                            .Int(ledger::Movement::kIssued)
                            .Int(ledger::Movement::kActivated)
                            .Int(ledger::Movement::kReversed)
                            .Int(ledger::Movement::kReversedPending);
  for (const Row& row : transaction.Execute(kRead, params)) {
    issuance.contracts.push_back(
        {row.Int(0), row.Id<Points>(2), row.Id<MinorUnits>(3), row.Id<Points>(1)});
    issuance.currency_exponent = static_cast<int>(row.Int(4));
  }
  return issuance;
}

}  // namespace guilder::partner
