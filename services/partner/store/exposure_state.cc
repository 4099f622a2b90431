#include "services/partner/store/exposure_state.h"

#include "libs/ledger/core/entry.h"
#include "libs/postgres/connection.h"

namespace guilder::partner {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr Statement kReadPolicy{"partner.read_exposure_policy", R"sql(
  select credit_limit, collateral, warn_ppm, no_bonus_ppm, no_issuance_ppm, redemption_only_ppm,
         reorder_below, reorder_points, net_debit_cap, reorder_days, reorder_when_ended
    from partner.exposure_policies
   where partner_id = $1
)sql"};

constexpr Statement kStorePolicy{"partner.store_exposure_policy", R"sql(
  insert into partner.exposure_policies
         (partner_id, credit_limit, collateral, warn_ppm, no_bonus_ppm, no_issuance_ppm,
          redemption_only_ppm, reorder_below, reorder_points, net_debit_cap, reorder_days,
          reorder_when_ended)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  on conflict (partner_id) do update
     set credit_limit = $2, collateral = $3, warn_ppm = $4, no_bonus_ppm = $5,
         no_issuance_ppm = $6, redemption_only_ppm = $7, reorder_below = $8, reorder_points = $9,
         net_debit_cap = $10, reorder_days = $11, reorder_when_ended = $12
)sql"};

constexpr Statement kToBeKept{"partner.partners_to_be_kept", R"sql(
  select p.slug
    from partner.partners p
   where exists (select 1 from partner.exposure_policies e where e.partner_id = p.partner_id)
      or exists (select 1 from partner.point_blocks b
                  where b.partner_id = p.partner_id
                    and (b.ends_at_us is not null or b.reserve
                         or p.state in ('TERMINATING', 'TERMINATED')))
   order by p.slug
)sql"};

constexpr Statement kReadState{"partner.read_exposure_state", R"sql(
  select stage, since_us, reserve_begun from partner.exposure_states where partner_id = $1
)sql"};

constexpr Statement kStoreState{"partner.store_exposure_state", R"sql(
  insert into partner.exposure_states (partner_id, stage, since_us, reserve_begun)
  values ($1, $2, $3, $4)
  on conflict (partner_id) do update set stage = $2, since_us = $3, reserve_begun = $4
)sql"};

// Rates are in millionths of the major unit: points × rate × 10^exponent / 10^6, rounded half up.
constexpr Statement kFigures{"partner.read_exposure_figures", R"sql(
  with settled as (
    select coalesce(max(s.end_us), 0) as until_us
      from settlement.settlements s
      join ledger.programmes g on g.programme_id = $2 and g.currency = s.currency
     where s.state <> 'COMPUTED'
  ), owed as (
    select coalesce(sum(o.amount - o.paid - o.written_off) filter (where not o.partner_is_paid), 0)
             as by_partner,
           coalesce(sum(o.amount - o.paid - o.written_off) filter (where o.partner_is_paid), 0)
             as to_partner
      from settlement.obligations o
      join settlement.settlements s using (settlement_id)
      join ledger.programmes g on g.programme_id = $2 and g.currency = s.currency
     where o.partner_id = $1
  ), taken as (
    select coalesce(sum(case p.movement when $3::smallint then p.points when $4::smallint then -p.points
                             else 0 end::numeric * c.rate_micros), 0) as micros
      from partner.contracts c
      join ledger.programmes g on g.programme_id = $2 and g.currency = c.currency
      join ledger.books b on b.programme_id = g.programme_id
      join ledger.positions p on p.book = b.book and p.contract_id = c.contract_id
       and p.window_start_us >= (select until_us from settled)
     where c.partner_id = $1 and c.kind = 'REDEMPTION' and c.state = 'APPROVED'
  ), later as (
    select c.contract_id, c.rate_micros
      from partner.contracts c
     where c.partner_id = $1 and c.kind = 'ISSUANCE' and c.state = 'APPROVED'
       and c.funding in ('POSTPAID_AT_REDEMPTION', 'HYBRID')
  ), outstanding as (
    select coalesce(sum(x.micros), 0) as micros
      from (select case when l.move in (1, 5) then l.points else -l.points end::numeric * c.rate_micros
                     as micros
              from later c join settlement.lot_positions l using (contract_id)
            union all
            select case p.movement when $5::smallint then p.points else -p.points end::numeric
                     * c.rate_micros
              from later c
              join ledger.books b on b.programme_id = $2
              join ledger.positions p on p.book = b.book and p.contract_id = c.contract_id
               and p.movement in ($5::smallint, $6::smallint, $7::smallint)
               and p.window_start_us > coalesce((select max(window_start_us)
                                                   from settlement.lot_positions), -1)) as x
  )
  select owed.by_partner::bigint,
         owed.to_partner::bigint
           + round(taken.micros * 10 ^ g.currency_exponent / 1000000)::bigint,
         round(outstanding.micros * 10 ^ g.currency_exponent / 1000000)::bigint,
         round(taken.micros * 10 ^ g.currency_exponent / 1000000)::bigint
    from owed, taken, outstanding, ledger.programmes g
   where g.programme_id = $2
)sql"};

}  // namespace

ExposurePolicy ReadExposurePolicy(postgres::Transaction& transaction, PartnerId partner) {
  ExposurePolicy policy;
  for (const Row row : transaction.Execute(kReadPolicy, Params().Int(partner))) {
    policy.credit_limit = row.Id<MinorUnits>(0);
    policy.collateral = row.Id<MinorUnits>(1);
    policy.warn_ppm = static_cast<int32_t>(row.Int(2));
    policy.no_bonus_ppm = static_cast<int32_t>(row.Int(3));
    policy.no_issuance_ppm = static_cast<int32_t>(row.Int(4));
    policy.redemption_only_ppm = static_cast<int32_t>(row.Int(5));
    policy.reorder_below = row.Id<Points>(6);
    policy.reorder = row.Id<Points>(7);
    policy.net_debit_cap = row.Id<MinorUnits>(8);
    policy.reorder_days = static_cast<int32_t>(row.Int(9));
    policy.reorder_when_ended = EndingFromName(row.Text(10));
  }
  return policy;
}

void StoreExposurePolicy(postgres::Transaction& transaction, PartnerId partner,
                         const ExposurePolicy& policy) {
  transaction.Execute(kStorePolicy, Params()
                                        .Int(partner)
                                        .Int(policy.credit_limit)
                                        .Int(policy.collateral)
                                        .Int(policy.warn_ppm)
                                        .Int(policy.no_bonus_ppm)
                                        .Int(policy.no_issuance_ppm)
                                        .Int(policy.redemption_only_ppm)
                                        .Int(policy.reorder_below)
                                        .Int(policy.reorder)
                                        .Int(policy.net_debit_cap)
                                        .Int(policy.reorder_days)
                                        .Text(EndingName(policy.reorder_when_ended)));
}

std::vector<std::string> PartnersToBeKept(postgres::Transaction& transaction) {
  std::vector<std::string> slugs;
  for (const Row row : transaction.Execute(kToBeKept)) slugs.emplace_back(row.Text(0));
  return slugs;
}

ExposureState ReadExposureState(postgres::Transaction& transaction, PartnerId partner) {
  const postgres::Rows rows = transaction.Execute(kReadState, Params().Int(partner));
  if (rows.empty()) return {};
  return {ExposureStageFromName(rows[0].Text(0)), rows[0].Id<Timestamp>(1), rows[0].Bool(2)};
}

void StoreExposureState(postgres::Transaction& transaction, PartnerId partner,
                        const ExposureState& state) {
  transaction.Execute(kStoreState, Params()
                                       .Int(partner)
                                       .Text(StageName(state.stage))
                                       .Int(state.since)
                                       .Bool(state.reserve_begun));
}

ExposureFigures ReadOtherFigures(postgres::Transaction& transaction, PartnerId partner,
                                 ProgrammeId programme) {
  const postgres::Rows rows =
      transaction.Execute(kFigures, Params()
                                        .Int(partner)
                                        .Int(programme)
                                        .Int(ledger::Movement::kRedeemed)
                                        .Int(ledger::Movement::kRefunded)
                                        .Int(ledger::Movement::kIssued)
                                        .Int(ledger::Movement::kReversed)
                                        .Int(ledger::Movement::kReversedPending));
  ExposureFigures figures;
  figures.unpaid_invoices = rows[0].Id<MinorUnits>(0);
  figures.owed_to_partner = rows[0].Id<MinorUnits>(1);
  figures.outstanding_issuance = rows[0].Id<MinorUnits>(2);
  figures.unsettled_reimbursement = rows[0].Id<MinorUnits>(3);
  return figures;
}

}  // namespace guilder::partner
