#include "libs/ledger/store/verify_settlements.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/ledger/core/entry.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

// Windows tile time, and a settlement takes consecutive ones: exactly those of its interval. A
// window names its settlement of the programme's currency; of each currency they do not overlap.
constexpr Statement kFindBrokenWindow{"verify.find_broken_window", R"sql(
  select w.window_start_us
    from (select window_start_us, window_end_us, settlement_id,
                 lead(window_start_us) over (order by window_start_us) as next_start_us
            from settlement.windows) w
    left join settlement.settlements s on s.settlement_id = w.settlement_id
   where w.next_start_us <> w.window_end_us
      or w.window_start_us < s.start_us
      or w.window_end_us > s.end_us
   union all
  select s.start_us
    from settlement.settlements s
    join ledger.programmes g using (programme_id)
   where (select coalesce(sum(w.window_end_us - w.window_start_us), 0)
            from settlement.windows w
           where w.window_start_us >= s.start_us
             and w.window_end_us <= s.end_us
             and (w.settlement_id = s.settlement_id or s.currency <> g.currency))
         <> s.end_us - s.start_us
   union all
  select s.start_us
    from (select start_us, lag(end_us) over (partition by currency order by settlement_id) as before
            from settlement.settlements) s
   where s.start_us < s.before
   limit 1
)sql"};

constexpr Statement kCountRows{"verify.count_settled", R"sql(
  select (select count(*) from settlement.windows), (select count(*) from settlement.lines),
         (select count(*) from settlement.nets), (select count(*) from settlement.money_entries)
)sql"};

// Points by settlement, contract and leg: once from lines, once from the positions of the windows.
// What issuance bills depends on the contract.
constexpr Statement kFindWrongLine{"verify.find_wrong_line", R"sql(
  with moved as (
    select s.settlement_id, p.contract_id, p.movement, sum(p.points)::bigint as points
      from settlement.settlements s
      join ledger.positions p
        on p.window_start_us >= s.start_us and p.window_start_us < s.end_us
      join partner.contracts c on c.contract_id = p.contract_id and c.currency = s.currency
     group by s.settlement_id, p.contract_id, p.movement
  ), billable as (
    select m.settlement_id, m.contract_id, l.leg,
           sum(case when m.movement = l.adds then m.points
                    when m.movement = l.subtracts or m.movement = l.subtracts_too then -m.points
                    else 0 end)::bigint as points
      from moved m
      join partner.contracts c on c.contract_id = m.contract_id
      join (values ('ISSUANCE', 'POSTING', 'ISSUANCE', $1::smallint, $2::smallint, $3::smallint),
                   ('ISSUANCE', 'ACTIVATION', 'ISSUANCE', $4, $3, null),
                   ('REDEMPTION', 'POSTING', 'REIMBURSEMENT', $5::smallint, $6::smallint, null),
                   ('REDEMPTION', 'ACTIVATION', 'REIMBURSEMENT', $5, $6, null))
           as l (kind, billed_at, leg, adds, subtracts, subtracts_too)
        on l.kind = c.kind and l.billed_at = c.billed_at
     where c.funding not in ('POSTPAID_AT_REDEMPTION', 'HYBRID')
     group by m.settlement_id, m.contract_id, l.leg
     union all
    -- Those that are billed by what became of their lots; 3 is spent, 4 is expired.
    select s.settlement_id, p.contract_id, l.leg, sum(p.points)::bigint
      from settlement.settlements s
      join settlement.lot_positions p
        on p.window_start_us >= s.start_us and p.window_start_us < s.end_us
      join partner.contracts c on c.contract_id = p.contract_id and c.currency = s.currency
      join (values (3, 'ISSUANCE'), (4, 'BREAKAGE')) as l (move, leg) on l.move = p.move
     where case l.leg when 'ISSUANCE' then c.funding in ('POSTPAID_AT_REDEMPTION', 'HYBRID')
                else c.breakage_ppm > 0 and c.funding in ('POSTPAID', 'PREPAID_BLOCK') end
     group by s.settlement_id, p.contract_id, l.leg
     union all
    select s.settlement_id, b.contract_id, 'POINT_BLOCK', sum(b.points)::bigint
      from settlement.settlements s
      join (select contract_id, points, bought_at_us as at_us from partner.point_blocks
             union all
            select k.contract_id, -e.points, e.ended_at_us
              from partner.point_block_endings e
              join partner.point_blocks k using (partner_id, number)
             where e.credited) b
        on b.at_us >= s.start_us and b.at_us < s.end_us
      join partner.contracts c on c.contract_id = b.contract_id and c.currency = s.currency
     group by s.settlement_id, b.contract_id
  )
  select coalesce(l.settlement_id, b.settlement_id), coalesce(l.contract_id, b.contract_id),
         coalesce(l.leg, b.leg), coalesce(l.points, 0), coalesce(b.points, 0)
    from (select settlement_id, contract_id, leg, points
            from settlement.lines
           where leg not in ('FEE', 'RESERVE')) l
    full join billable b using (settlement_id, contract_id, leg)
   where coalesce(l.points, 0) <> coalesce(b.points, 0)
   order by 1, 2, 3
   limit 1
)sql"};

// `tax` of a net is what the partner owes: on issuance and fees, less that on reimbursements.
// Approval makes obligations of nets.
constexpr Statement kFindWrongNet{"verify.find_wrong_net", R"sql(
  select coalesce(n.settlement_id, l.settlement_id), coalesce(n.partner_id, l.partner_id)
    from settlement.nets n
    full join (select settlement_id, partner_id,
                      sum(amount) filter (where leg = 'ISSUANCE') as issuance,
                      sum(amount) filter (where leg = 'REIMBURSEMENT') as reimbursement,
                      sum(amount) filter (where leg = 'FEE') as fee,
                      sum(amount) filter (where leg = 'RESERVE') as reserve,
                      sum(amount) filter (where leg = 'BREAKAGE') as breakage,
                      sum(amount) filter (where leg = 'POINT_BLOCK') as point_blocks,
                      sum(case when leg in ('REIMBURSEMENT', 'BREAKAGE') then -tax else tax end)
                        as tax
                 from settlement.lines
                group by settlement_id, partner_id) l using (settlement_id, partner_id)
    left join settlement.obligations o using (settlement_id, partner_id)
    join settlement.settlements s using (settlement_id)
   where n.net is null
      or n.issuance <> coalesce(l.issuance, 0)
      or n.reimbursement <> coalesce(l.reimbursement, 0)
      or n.fee <> coalesce(l.fee, 0)
      or n.tax <> coalesce(l.tax, 0)
      or n.reserve <> coalesce(l.reserve, 0)
      or n.breakage <> coalesce(l.breakage, 0)
      or n.point_blocks <> coalesce(l.point_blocks, 0)
      or n.net <> n.reimbursement + n.breakage - n.issuance - n.point_blocks - n.reserve - n.fee
                  - n.tax
      or n.carried_in <> coalesce((select b.carried_out
                                     from settlement.nets b
                                    where b.partner_id = n.partner_id
                                      and b.settlement_id =
                                          (select max(p.settlement_id)
                                             from settlement.settlements p
                                            where p.settlement_id < n.settlement_id
                                              and p.currency = s.currency)), 0)
                         + coalesce((select sum(a.net + a.tax)
                                       from settlement.adjustments a
                                       join settlement.settlements b using (settlement_id)
                                      where a.partner_id = n.partner_id
                                        and b.currency = s.currency
                                        and a.posted_at_us >= s.start_us
                                        and a.posted_at_us < s.end_us), 0)
      or case s.state when 'COMPUTED' then 0 else n.net + n.carried_in - n.carried_out end
         <> coalesce(case when o.partner_is_paid then o.amount else -o.amount end, 0)
   order by 1, 2
   limit 1
)sql"};

// Keys forbid it, unless somebody took them away.
constexpr Statement kFindTwice{"verify.find_settled_twice", R"sql(
  select settlement_id from settlement.settlements group by settlement_id having count(*) > 1
   union all
  select settlement_id from settlement.nets group by settlement_id, partner_id having count(*) > 1
   union all
  select settlement_id from settlement.obligations
   group by settlement_id, partner_id having count(*) > 1
   limit 1
)sql"};

// Each entry balances by its form; all of a partner's come to its net, from the approval on.
constexpr Statement kFindWrongMoney{"verify.find_wrong_money", R"sql(
  select coalesce(n.settlement_id, m.settlement_id), coalesce(n.partner_id, m.partner_id),
         coalesce(n.net, 0)::bigint, coalesce(m.net, 0)::bigint
    from (select n.settlement_id, n.partner_id, n.net
            from settlement.nets n
            join settlement.settlements s using (settlement_id)
           where s.state <> 'COMPUTED') n
    full join (select t.settlement_id, s.partner_id, sum(s.amount) as net
                 from settlement.money_transactions t
                 join (select number, credit_account as account, credit_partner as partner_id, amount
                         from settlement.money_entries
                        union all
                       select number, debit_account, debit_partner, -amount
                         from settlement.money_entries) s using (number)
                where t.kind = 'SETTLEMENT'
                  and s.account in ('PARTNER_RECEIVABLE', 'PARTNER_PAYABLE')
                group by t.settlement_id, s.partner_id) m using (settlement_id, partner_id)
   where coalesce(n.net, 0) <> coalesce(m.net, 0)
   order by 1, 2
   limit 1
)sql"};

// What stands in a partner's receivable and payable is what its obligations have open; from a
// default on it stands in the losses.
constexpr Statement kFindWrongClaim{"verify.find_wrong_claim", R"sql(
  select coalesce(o.partner_id, m.partner_id), coalesce(o.open, 0)::bigint,
         coalesce(m.balance, 0)::bigint
    from (select s.currency, o.partner_id, o.partner_is_paid,
                 sum(o.open) as open
            from (select settlement_id, partner_id, partner_is_paid,
                         amount - paid - written_off as open
                    from settlement.obligations
                   where loss_owner is null
                   union all
                  -- What is carried forward is owed without an obligation.
                  select settlement_id, partner_id, true, carried_out - carried_in
                    from settlement.nets
                   union all
                  -- What was credited is, too, and is carried into the settlement of its window.
                  select settlement_id, partner_id, true, net + tax
                    from settlement.adjustments) o
            join settlement.settlements s using (settlement_id)
           where s.state <> 'COMPUTED'
           group by s.currency, o.partner_id, o.partner_is_paid) o
    full join (select t.currency, e.partner_id, e.account = 'PARTNER_PAYABLE' as partner_is_paid,
                      sum(case when e.is_credit = (e.account = 'PARTNER_PAYABLE') then e.amount
                               else -e.amount end) as balance
                 from settlement.money_transactions t
                 join (select number, debit_account as account, debit_partner as partner_id,
                              false as is_credit, amount
                         from settlement.money_entries
                        union all
                       select number, credit_account, credit_partner, true, amount
                         from settlement.money_entries) e using (number)
                where e.account in ('PARTNER_RECEIVABLE', 'PARTNER_PAYABLE')
                group by t.currency, e.partner_id, e.account) m
           using (currency, partner_id, partner_is_paid)
   where coalesce(o.open, 0) <> coalesce(m.balance, 0)
   order by 1
   limit 1
)sql"};

}  // namespace

void VerifySettlements(Transaction& transaction, Findings& findings) {
  const Rows counted = transaction.Execute(kCountRows);
  const Row counts = counted[0];
  findings.Examined(CheckId::kWindows, counts.Int(0));
  findings.Examined(CheckId::kSettledPoints, counts.Int(1));
  findings.Examined(CheckId::kNets, counts.Int(2));
  findings.Examined(CheckId::kMoney, counts.Int(3));

  for (const Row& row : transaction.Execute(kFindBrokenWindow)) {
    findings.Fail(CheckId::kWindows, absl::StrCat("at ", FormatTimestamp(row.Id<Timestamp>(0))));
  }
  const Params movements = Params()
                               .Int(Movement::kIssued)
                               .Int(Movement::kReversedPending)
                               .Int(Movement::kReversed)
                               .Int(Movement::kActivated)
                               .Int(Movement::kRedeemed)
                               .Int(Movement::kRefunded);
  for (const Row& row : transaction.Execute(kFindWrongLine, movements)) {
    findings.Fail(
        CheckId::kSettledPoints,
        absl::StrCat("settlement ", row.Int(0), ", contract ", row.Int(1), ", ",
                     ToAbsl(row.Text(2)), ": ", row.Int(3), ", positions give ", row.Int(4)));
  }
  for (const Row& row : transaction.Execute(kFindTwice)) {
    findings.Fail(CheckId::kNets, absl::StrCat("settlement ", row.Int(0), " has a row twice"));
  }
  for (const Row& row : transaction.Execute(kFindWrongNet)) {
    findings.Fail(CheckId::kNets,
                  absl::StrCat("settlement ", row.Int(0), ", partner ", row.Int(1)));
  }
  for (const Row& row : transaction.Execute(kFindWrongMoney)) {
    findings.Fail(CheckId::kMoney,
                  absl::StrCat("settlement ", row.Int(0), ", partner ", row.Int(1), ": net ",
                               row.Int(2), ", money entries give ", row.Int(3)));
  }
  for (const Row& row : transaction.Execute(kFindWrongClaim)) {
    findings.Fail(CheckId::kMoney, absl::StrCat("partner ", row.Int(0), ": obligations have ",
                                                row.Int(1), " open, its accounts ", row.Int(2)));
  }
}

}  // namespace guilder::ledger
