#include "services/operator/store/approvals.h"

#include "absl/strings/str_split.h"

#include "libs/base/text.h"
#include "libs/postgres/connection.h"

namespace guilder::operator_ {
namespace {

// A proposed contract and a review wait for 30 days (services/partner/README.md).
constexpr postgres::Statement kWaiting{"operator.waiting_approvals", R"sql(
  select name, waits_for, summary, signed_by, expires_at_us, etag, change, state
    from (select 'partners/' || slug as name,
                 case state when 'SUBMITTED' then 'REVIEW' else 'APPROVAL' end as waits_for,
                 display_name || ', ' || legal_name as summary,
                 concat_ws(',', nullif(submitted_by, ''), nullif(reviewed_by, '')) as signed_by,
                 reviewed_at_us + 30 * 86400000000 as expires_at_us,
                 'r' || revision as etag, '' as change, '' as state
            from partner.partners
           where state in ('SUBMITTED', 'IN_REVIEW')
          union all
          select 'partners/' || p.slug || '/contracts/' || c.number, 'APPROVAL',
                 lower(c.kind) || ' contract of ' || p.display_name || ' at '
                   || round(c.rate_micros / 1000000.0, 6) || ' ' || c.currency || ' a point',
                 c.proposed_by, c.proposed_at_us + 30 * 86400000000, '', '', ''
            from partner.contracts c join partner.partners p using (partner_id)
           where c.state = 'PROPOSED'
          union all
          select 'adjustments/' || adjustment_id, 'APPROVAL', points || ' points', proposed_by, null,
                 '', '', ''
            from member.adjustments
           where state = 2
          union all
          select 'ruleSets/' || rule_set_id, 'APPROVAL', 'earn rules', proposed_by, null, '', '', ''
            from accrual.rule_sets
           where state = 'PROPOSED'
          union all
          select 'settlements/' || settlement_id, 'APPROVAL', 'settlement in ' || currency,
                 computed_by, null, encode(digest, 'hex'), '', ''
            from settlement.settlements
           where state = 'COMPUTED'
          union all
          select 'settlements/' || w.settlement_id || '/obligations/' || p.slug, 'APPROVAL',
                 'write-off of ' || w.amount || ' minor units: ' || w.note, w.proposed_by, null,
                 -- As the settlement service makes it (services/settlement/rpc/bank_handlers.cc).
                 encode(sha256(convert_to(concat_ws('/', w.settlement_id, w.partner_id, w.amount,
                                                    w.proposed_at_us, w.proposed_by, w.note),
                                          'UTF8')), 'hex'), '', ''
            from settlement.write_offs w join partner.partners p using (partner_id)
           where w.approved_by = ''
          union all
          select 'parkedItems/' || i.partner_id || '-' || i.request_id, 'APPROVAL',
                 'a return, of ' || i.proposed_purchase, i.proposed_by, null, '', '', ''
            from accrual.parked_items i
           where i.proposed_by <> ''
             and i.approved_by = ''
             and i.resolved_at_us is null
          union all
          -- These age in real time, which the programme's clock may be far ahead of.
          select 'approvals/' || approval_id, case state when 'WAITING' then 'APPROVAL' else 'USE' end,
                 note, requested_by,
                 $1 + expires_at_us - (extract(epoch from clock_timestamp()) * 1000000)::bigint,
                 encode(change_hash, 'hex'), request_type || ' ' || change, state
            from operator.approvals
           where state in ('WAITING', 'APPROVED')) as waiting
   where (expires_at_us is null or expires_at_us > $1)
     and name collate "C" > $3
   order by name collate "C"
   limit $2
)sql"};

}  // namespace

std::vector<WaitingApproval> ListWaitingApprovals(postgres::Transaction& transaction, Timestamp now,
                                                  std::string_view after, int limit) {
  std::vector<WaitingApproval> waiting;
  for (const postgres::Row row :
       transaction.Execute(kWaiting, postgres::Params().Int(now).Int(limit).Text(after))) {
    WaitingApproval& added = waiting.emplace_back();
    added.name = row.Text(0);
    added.waits_for = row.Text(1);
    added.summary = row.Text(2);
    added.signed_by = absl::StrSplit(ToAbsl(row.Text(3)), ',', absl::SkipEmpty());
    added.expires_at = row.OptionalId<Timestamp>(4);
    added.etag = row.Text(5);
    added.change = row.Text(6);
    added.state = row.Text(7);
  }
  return waiting;
}

}  // namespace guilder::operator_
