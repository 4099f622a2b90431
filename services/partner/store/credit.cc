#include "services/partner/store/credit.h"

#include <algorithm>

#include "libs/ledger/core/entry.h"
#include "libs/ledger/core/limit.h"
#include "libs/ledger/store/limits.h"
#include "libs/ledger/store/programme.h"
#include "libs/postgres/connection.h"
#include "services/partner/store/exposure_state.h"

namespace guilder::partner {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

// Points × rate is in millionths of the major unit. Sums that do not fit 64 bits are cut: then
// there is no credit, or more than can be used.
constexpr Statement kFacts{"partner.read_credit_facts", R"sql(
  with contract as (
    select c.contract_id, c.funding, c.billed_at, c.rate_micros::numeric as rate
      from partner.contracts c
      join ledger.programmes g on g.programme_id = $2 and g.currency = c.currency
     where c.partner_id = $1 and c.kind = 'ISSUANCE' and c.state = 'APPROVED'
  ), billed as (
    select coalesce(sum(l.amount) filter (where l.leg = 'ISSUANCE' and c.funding <> 'PREPAID_BLOCK'), 0)
             as issuance,
           coalesce(sum(l.amount) filter (where l.leg = 'POINT_BLOCK'), 0) as blocks
      from contract c
      join settlement.lines l on l.contract_id = c.contract_id and l.partner_id = $1
      join settlement.settlements s on s.settlement_id = l.settlement_id and s.state <> 'COMPUTED'
  ), blocks as (
    select coalesce(sum(x.points * c.rate), 0) as micros
      from contract c
      join (select contract_id, points from partner.point_blocks where partner_id = $1
            union all
            select b.contract_id, -e.points
              from partner.point_block_endings e
              join partner.point_blocks b using (partner_id, number)
             where e.partner_id = $1 and e.credited) as x using (contract_id)
  ), expired as (
    select coalesce(sum(l.points * c.rate), 0) as micros
      from contract c
      join settlement.lot_positions l on l.contract_id = c.contract_id and l.move = 4
     where c.funding in ('POSTPAID_AT_REDEMPTION', 'HYBRID')
  ), lapsed as (
    select coalesce(sum(p.points * c.rate), 0) as micros
      from contract c
      join ledger.books b on b.programme_id = $2
      join ledger.positions p on p.book = b.book and p.contract_id = c.contract_id
       and p.movement = $5::smallint
     where c.funding = 'POSTPAID' and c.billed_at = 'ACTIVATION'
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
    select coalesce(sum(case p.movement when $3::smallint then p.points else -p.points end::numeric
                          * c.rate_micros), 0) as micros
      from partner.contracts c
      join ledger.programmes g on g.programme_id = $2 and g.currency = c.currency
      join ledger.books b on b.programme_id = $2
      join ledger.positions p on p.book = b.book and p.contract_id = c.contract_id
       and p.movement in ($3::smallint, $4::smallint)
       and p.window_start_us >= (select coalesce(max(s.end_us), 0)
                                   from settlement.settlements s
                                  where s.state <> 'COMPUTED' and s.currency = g.currency)
     where c.partner_id = $1 and c.kind = 'REDEMPTION' and c.state = 'APPROVED'
  )
  select billed.issuance::bigint,
         greatest(least(expired.micros, 4e18), -4e18)::bigint,
         greatest(least(blocks.micros - billed.blocks * 10 ^ (6 - g.currency_exponent), 4e18), -4e18)::bigint,
         owed.by_partner::bigint,
         owed.to_partner::bigint,
         greatest(least(taken.micros, 4e18), -4e18)::bigint,
         greatest(least(lapsed.micros, 4e18), -4e18)::bigint,
         exists (select from contract where funding in ('POSTPAID_AT_REDEMPTION', 'HYBRID')),
         g.currency_exponent
    from billed, blocks, expired, lapsed, owed, taken, ledger.programmes g
   where g.programme_id = $2
)sql"};

// Nothing can come into sealed windows any more.
constexpr Statement kSealedUntil{"partner.read_sealed_until_for_credit", R"sql(
  select coalesce(max(window_end_us), 0) from settlement.windows
)sql"};

// What was issued and not reversed, in windows that begin in [$3, $4).
constexpr Statement kSpent{"partner.read_credit_spent", R"sql(
  select least(coalesce(sum(case p.movement when $5::smallint then p.points else -p.points end::numeric
                              * c.rate_micros), 0), 9e18)::bigint
    from partner.contracts c
    join ledger.programmes g on g.programme_id = $2 and g.currency = c.currency
    join ledger.books b on b.programme_id = $2
    join ledger.positions p on p.book = b.book and p.contract_id = c.contract_id
     and p.movement in ($5::smallint, $6::smallint, $7::smallint)
     and p.window_start_us >= $3 and p.window_start_us < $4
   where c.partner_id = $1 and c.kind = 'ISSUANCE' and c.state = 'APPROVED'
     and c.funding <> 'PREPAID_BLOCK'
)sql"};

Points ReadSpent(postgres::Transaction& transaction, PartnerId partner, ProgrammeId programme,
                 Timestamp from, Timestamp until) {
  const Params params = Params()
                            .Int(partner)
                            .Int(programme)
                            .Int(from)
                            .Int(until)
                            .Int(ledger::Movement::kIssued)
                            .Int(ledger::Movement::kReversed)
                            .Int(ledger::Movement::kReversedPending);
  return transaction.Execute(kSpent, params)[0].Id<Points>(0);
}

std::optional<Points> WantedCredit(postgres::Transaction& transaction, PartnerId partner,
                                   ProgrammeId programme) {
  return CreditToGrant(ReadExposurePolicy(transaction, partner),
                       ReadCreditFacts(transaction, partner, programme));
}

// Most of what was issued is summed before anybody has to wait.
void Open(postgres::Transaction& transaction, PartnerId partner, ProgrammeId programme) {
  const auto sealed = transaction.Execute(kSealedUntil)[0].Id<Timestamp>(0);
  Points spent = ReadSpent(transaction, partner, programme, Timestamp(), sealed);
  ledger::LockBooks(transaction, programme);
  spent += ReadSpent(transaction, partner, programme, sealed, kNever);
  ledger::OpenLimit(transaction, programme, ledger::CreditOf(partner), spent);
}

}  // namespace

CreditFacts ReadCreditFacts(postgres::Transaction& transaction, PartnerId partner,
                            ProgrammeId programme) {
  const postgres::Rows rows =
      transaction.Execute(kFacts, Params()
                                      .Int(partner)
                                      .Int(programme)
                                      .Int(ledger::Movement::kRedeemed)
                                      .Int(ledger::Movement::kRefunded)
                                      .Int(ledger::Movement::kExpiredPending));
  const Row row = rows[0];
  CreditFacts facts;
  facts.billed_issuance = row.Id<MinorUnits>(0);
  facts.expired_micros = row.Int(1);
  facts.unbilled_blocks_micros = row.Int(2);
  facts.unpaid_invoices = row.Id<MinorUnits>(3);
  facts.owed_to_partner = row.Id<MinorUnits>(4);
  facts.unsettled_reimbursement_micros = row.Int(5);
  facts.lapsed_micros = row.Int(6);
  facts.pays_at_redemption = row.Bool(7);
  facts.currency_exponent = static_cast<int>(row.Int(8));
  return facts;
}

std::optional<Points> ReadCreditLeft(postgres::Transaction& transaction, PartnerId partner) {
  const ledger::LimitId limit = ledger::CreditOf(partner);
  if (!ledger::HasLimit(transaction, limit)) return std::nullopt;
  return ledger::ReadLimit(transaction, limit).remaining;
}

bool CreditChanges(postgres::Transaction& transaction, PartnerId partner, ProgrammeId programme) {
  const ledger::LimitId limit = ledger::CreditOf(partner);
  const bool open = ledger::HasLimit(transaction, limit);
  const std::optional<Points> wanted = WantedCredit(transaction, partner, programme);
  if (open != wanted.has_value()) return true;
  if (!open) return false;
  const ledger::LimitState state = ledger::ReadLimit(transaction, limit);
  // Where more was spent than is granted now, what comes back is taken.
  const bool too_much = state.granted > *wanted && state.remaining > Points();
  return state.granted < *wanted || too_much ||
         !ledger::IsInAllBooks(transaction, programme, limit);
}

void KeepCredit(postgres::Transaction& transaction, PartnerId partner, ProgrammeId programme) {
  const ledger::LimitId limit = ledger::CreditOf(partner);
  const bool open = ledger::HasLimit(transaction, limit);
  const std::optional<Points> wanted = WantedCredit(transaction, partner, programme);
  if (!open && !wanted) return;
  if (!wanted) {
    ledger::LockBooks(transaction, programme);
    ledger::CloseLimit(transaction, limit);
  } else {
    if (!open) Open(transaction, partner, programme);
    ledger::SetGranted(transaction, programme, limit, *wanted);
  }
  if (open != wanted.has_value()) ledger::IncrementConfigurationVersion(transaction, programme);
}

}  // namespace guilder::partner
