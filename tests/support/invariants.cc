#include "tests/support/invariants.h"

#include "absl/strings/str_cat.h"

namespace guilder::testing {
namespace {

struct Invariant {
  const char* statement;
  // Gives a row for each exception.
  const char* exceptions;
};

// The buckets are those of ledger::Bucket: 1 issued, 2 redeemed, 3 expired, 4 in transit; 11
// pending, 12 available, 13 held, 14 debt. Movements are those of ledger::Movement.
constexpr Invariant kInvariants[] = {
    {"each book's accounts sum to zero", R"sql(
       select book from (
         select book, balance from ledger.control_accounts
         union all
         select book, pending + available + held - debt from ledger.accounts) b
        group by book having sum(balance) <> 0
     )sql"},
    {"a control account's balance is the sum of its entries", R"sql(
       select c.account_id from ledger.control_accounts c
        where c.balance <>
              (select coalesce(sum(case when e.credit_account = c.account_id then e.points
                                        else -e.points end), 0)
                 from ledger.entries e
                where e.book = c.book and c.account_id in (e.debit_account, e.credit_account))
     )sql"},
    {"a member's balances are the sums of their entries", R"sql(
       with sides as (
         select book, credit_account as account_id, credit_bucket as bucket, points from ledger.entries
         union all
         select book, debit_account, debit_bucket, -points from ledger.entries),
       sums as (
         select book, account_id,
                coalesce(sum(points) filter (where bucket = 11), 0) as pending,
                coalesce(sum(points) filter (where bucket = 12), 0) as available,
                coalesce(sum(points) filter (where bucket = 13), 0) as held,
                -coalesce(sum(points) filter (where bucket = 14), 0) as debt
           from sides group by book, account_id)
       select a.account_id
         from ledger.accounts a left join sums s using (book, account_id)
        where (a.pending, a.available, a.held, a.debt) <>
              (coalesce(s.pending, 0), coalesce(s.available, 0), coalesce(s.held, 0),
               coalesce(s.debt, 0))
     )sql"},
    {"a member's balances are what the lots have left", R"sql(
       select a.account_id
         from ledger.accounts a
         left join (select book, account_id,
                           coalesce(sum(remaining - held) filter (where state = 0), 0) as pending,
                           coalesce(sum(remaining - held) filter (where state = 1), 0) as available,
                           sum(held) as held, sum(debt) as debt
                      from ledger.lots group by book, account_id) l using (book, account_id)
        where (a.pending, a.available, a.held, a.debt) <>
              (coalesce(l.pending, 0), coalesce(l.available, 0), coalesce(l.held, 0),
               coalesce(l.debt, 0))
     )sql"},
    {"what issuers issued is what their lots say", R"sql(
       select c.partner_id from ledger.control_accounts c
        where c.kind = 1
          and -c.balance <> (select coalesce(sum(case when l.origin_lot is null then l.issued else 0 end
                                                 - l.reversed), 0) from ledger.lots l
                              where l.book = c.book and l.issuer_id = c.partner_id)
     )sql"},
    {"what was redeemed and what expired is what the lots say", R"sql(
       select b.book from ledger.books b
        where (select coalesce(sum(redeemed), 0) from ledger.lots l where l.book = b.book) <>
              (select coalesce(sum(balance), 0) from ledger.control_accounts c
                where c.book = b.book and c.kind = 2)
           or (select coalesce(sum(expired), 0) from ledger.lots l where l.book = b.book) <>
              (select coalesce(sum(balance), 0) from ledger.control_accounts c
                where c.book = b.book and c.kind = 3)
     )sql"},
    {"what left an account has come to another, and is what the lots say", R"sql(
       select b.programme_id
         from ledger.control_accounts c join ledger.books b using (book)
        where c.kind = 4 group by b.programme_id having sum(c.balance) <> 0
       union all
       select b.book from ledger.books b
        where (select coalesce(sum(moved - case when origin_lot is null then 0 else issued end), 0)
                 from ledger.lots l where l.book = b.book) <>
              (select coalesce(sum(balance), 0) from ledger.control_accounts c
                where c.book = b.book and c.kind = 4)
     )sql"},
    {"holds say what their lots say", R"sql(
       with parts as (
         select h.book, h.number, h.account_id, h.state, h.captured, h.refunded, p.lot_id, p.held,
                p.captured as part_captured, p.refunded as part_refunded
           from ledger.holds h,
                unnest(h.lot_ids, h.lot_held, h.lot_captured, h.lot_refunded)
                  as p (lot_id, held, captured, refunded))
       select number from parts
        group by book, number, state, captured, refunded
       having captured <> sum(part_captured) or refunded <> sum(part_refunded)
           or (state in (0, 4)) <> (sum(held) > 0)
       union all
       select l.lot_id from ledger.lots l
        where l.held <> (select coalesce(sum(p.held), 0) from parts p
                          where p.book = l.book and p.account_id = l.account_id
                            and p.lot_id = l.lot_id)
     )sql"},
    {"journal numbers have no gaps, and posted times do not fall", R"sql(
       select b.book from ledger.books b
        where b.last_number <> (select count(*) from ledger.journal j where j.book = b.book)
           or b.last_number <> (select coalesce(max(number), 0) from ledger.journal j
                                 where j.book = b.book)
       union all
       select book from (
         select book, posted_at_us,
                lag(posted_at_us) over (partition by book order by number) as before_us
           from ledger.journal) j
        where posted_at_us < before_us
     )sql"},
    {"every entry has its record, and the record's time", R"sql(
       select e.number from ledger.entries e
         left join ledger.journal j
           on j.book = e.book and j.number = e.number and j.posted_at_us = e.posted_at_us
        where j.number is null
     )sql"},
    {"every record has its claim, and every claim its record", R"sql(
       select j.number from ledger.journal j
        where not exists (select from ledger.claims c where c.book = j.book and c.number = j.number)
       union all
       select c.number from ledger.claims c
        where not exists (select from ledger.journal j
                           where j.book = c.book and j.number = c.number
                             and j.posted_at_us = c.posted_at_us)
     )sql"},
    {"positions are the sums of their entries", R"sql(
       with moved as (
         select book, contract_id, points,
                case when debit_bucket = 1 then 1
                     when credit_bucket = 1 and debit_bucket = 11 then 3
                     when credit_bucket = 1 then 4
                     when credit_bucket = 2 then 5
                     when debit_bucket = 2 then 6
                     when credit_bucket = 3 and debit_bucket = 11 then 8
                     when credit_bucket = 3 then 7
                     when debit_bucket = 3 then 9
                     when debit_bucket = 11 and credit_bucket = 12 then 2
                     else 0 end as movement
           from ledger.entries)
       select contract_id
         from (select book, contract_id, movement, sum(points) as points
                 from moved where movement > 0 group by book, contract_id, movement) m
         full join (select book, contract_id, movement, sum(points) as points
                      from ledger.positions group by book, contract_id, movement) p
             using (book, contract_id, movement)
        where m.points is distinct from p.points
     )sql"},
    {"what was granted of a limit is in the pool, in the allowances, or spent", R"sql(
       select l.limit_id from ledger.limits l
        where l.granted <> l.pool
              + (select coalesce(sum(a.remaining), 0) from ledger.allowances a
                  where a.limit_id = l.limit_id)
              + (select coalesce(sum(case when e.debit_bucket = 1 then e.points else -e.points end), 0)
                   from ledger.entries e
                   join partner.contracts c on c.contract_id = e.contract_id
                  where c.partner_id * 16 + 1 = l.limit_id and c.funding = 'PREPAID_BLOCK'
                    and 1 in (e.debit_bucket, e.credit_bucket))
              + (select coalesce(sum(case when e.debit_bucket = 1 then e.points else -e.points end::numeric
                                       * c.rate_micros), 0)
                   from ledger.entries e
                   join partner.contracts c on c.contract_id = e.contract_id
                   join ledger.programmes g on g.currency = c.currency
                  where c.partner_id * 16 + 4 = l.limit_id and c.funding <> 'PREPAID_BLOCK'
                    and 1 in (e.debit_bucket, e.credit_bucket))
              + (select coalesce(sum(c.points), 0) from accrual.counters c
                  where c.account_id = 0 and c.counter_id * 16 + 2 = l.limit_id)
              + (select coalesce(sum(o.quantity), 0) from catalogue.orders o
                  where o.state not in (5, 6) and o.reward_id * 16::bigint + 3 = l.limit_id)
              + (select count(*) from catalogue.vouchers v
                  join catalogue.rewards r on r.reward_id = v.reward_id and r.stock_limited
                  where v.reward_id * 16::bigint + 3 = l.limit_id
                    and not (v.refunded and v.used_amount = 0))
     )sql"},
    {"an order's points are held, taken or given back, as its state says", R"sql(
       select o.number
         from catalogue.orders o
         left join ledger.holds h on h.book = o.book and h.number = o.number
        where h.number is null or h.account_id <> o.account_id or h.authorized <> o.points
           or not case when o.state = 1 then h.captured = 0 and h.state in (0, 3)
                       when o.state in (2, 3, 4) then h.captured = o.points and h.refunded = 0
                       when o.state = 5 then h.captured = o.points and h.refunded = o.points
                       else h.captured = h.refunded and h.state <> 0 end
     )sql"},
    {"a voucher's points are held, or taken by its uses", R"sql(
       select v.number
         from catalogue.vouchers v
         left join ledger.holds h on h.book = v.book and h.number = v.number
         left join (select book, voucher, sum(points) as points, sum(amount) as amount,
                           sum(refunded_points) as refunded
                      from catalogue.voucher_uses group by book, voucher) u
           on u.book = v.book and u.voucher = v.number
        where h.number is null or h.account_id <> v.account_id or h.authorized <> v.points
           or h.captured <> v.used_points or h.captured <> coalesce(u.points, 0)
           or h.refunded <> coalesce(u.refunded, 0) or (v.refunded and h.state = 0)
           or (v.used_amount <> coalesce(u.amount, 0)
               and not (v.single_use and v.used_amount = v.face_amount and u.amount > 0))
     )sql"},
    {"every order and voucher has its record, and every such record its row", R"sql(
       select coalesce(o.number, j.number)
         from (select book, number, 31 as kind from catalogue.orders
               union all select book, number, 34 from catalogue.vouchers
               union all select book, number, 35 from catalogue.voucher_uses) o
         full join (select book, number, kind from ledger.journal where kind in (31, 34, 35)) j
           on j.book = o.book and j.number = o.number and j.kind = o.kind
        where o.number is null or j.number is null
     )sql"},
    {"every member has an account and, unless it was merged, a card", R"sql(
       select m.account_id from member.members m
        where not exists (select from ledger.accounts a
                           where a.book = m.book and a.account_id = m.account_id)
           or not exists (select from member.cards c
                           where c.book = m.book and c.account_id = m.account_id)
              and not exists (select from ledger.forwards f
                               where f.book = m.book and f.account_id = m.account_id)
     )sql"},
};

}  // namespace

std::string FindBrokenInvariant(const TestDatabase& database) {
  for (const Invariant& invariant : kInvariants) {
    const int exceptions = database.Query(invariant.exceptions).size();
    if (exceptions > 0) return absl::StrCat(invariant.statement, "; exceptions: ", exceptions);
  }
  return "";
}

}  // namespace guilder::testing
