#include "services/partner/store/exit_facts.h"

#include <algorithm>

#include "libs/ledger/core/entry.h"
#include "libs/postgres/connection.h"

namespace guilder::partner {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

// By window of issue: what is out, and of all that ended what was redeemed (3) and has expired (4).
// Other moves are those of settlement.lot_positions: 1 issued, 2 reversed, 5 adjusted.
constexpr Statement kReadPoints{"partner.read_exit_points", R"sql(
  with versions as (
    select contract_id
      from partner.contracts
     where partner_id = $1 and kind = 'ISSUANCE' and state = 'APPROVED'
  ), attributed as (
    select coalesce(max(window_start_us), -1) as until_us from settlement.lot_positions
  )
  select l.issued_window_us,
         sum(case when l.move in (1, 5) then l.points else -l.points end)::bigint,
         coalesce(sum(l.points) filter (where l.move = 3), 0)::bigint,
         coalesce(sum(l.points) filter (where l.move = 4), 0)::bigint
    from versions
    join settlement.lot_positions l using (contract_id)
   group by l.issued_window_us
   union all
  select p.window_start_us,
         sum(case p.movement when $3::smallint then p.points else -p.points end)::bigint, 0, 0
    from versions
    join ledger.books b on b.programme_id = $2
    join ledger.positions p
      on p.book = b.book
     and p.contract_id = versions.contract_id
     and p.window_start_us > (select until_us from attributed)
   where p.movement in ($3, $4::smallint, $5::smallint)
   group by p.window_start_us
)sql"};

// Of months in which something is out.
constexpr Statement kReadLastExpiry{"partner.read_exit_last_expiry", R"sql(
  select coalesce(max(expiry_month), 0)
    from (select l.expiry_month
            from partner.contracts c
            join settlement.lot_positions l using (contract_id)
           where c.partner_id = $1 and c.kind = 'ISSUANCE' and c.state = 'APPROVED'
           group by l.expiry_month
          having sum(case when l.move in (1, 5) then l.points else -l.points end) > 0) m
)sql"};

constexpr Statement kReadReserve{"partner.read_exit_reserve", R"sql(
  select coalesce(sum(l.amount), 0)::bigint
    from settlement.lines l
    join settlement.settlements s using (settlement_id)
   where l.partner_id = $1 and l.leg = 'RESERVE' and s.state <> 'COMPUTED'
)sql"};

}  // namespace

ExitFacts ReadExitFacts(postgres::Transaction& transaction, PartnerId partner,
                        ProgrammeId programme) {
  ExitFacts facts;
  for (const Row& row :
       transaction.Execute(kReadPoints, Params()
                                            .Int(partner)
                                            .Int(programme)
                                            .Int(ledger::Movement::kIssued)
                                            .Int(ledger::Movement::kReversed)
                                            .Int(ledger::Movement::kReversedPending))) {
    facts.outstanding.push_back({row.Id<Timestamp>(0), row.Id<Points>(1)});
    facts.redeemed += row.Id<Points>(2);
    facts.expired += row.Id<Points>(3);
  }
  facts.last_expiry_month =
      static_cast<int>(transaction.Execute(kReadLastExpiry, Params().Int(partner))[0].Int(0));
  facts.reserve = transaction.Execute(kReadReserve, Params().Int(partner))[0].Id<MinorUnits>(0);
  return facts;
}

}  // namespace guilder::partner
