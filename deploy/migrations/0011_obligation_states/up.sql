-- What obligations come to after they are binding, and by which rules.

alter table settlement.obligations
  add column due_at_us   bigint not null default 0,
  -- What the bank says was paid, and what was given up.
  add column paid        bigint not null default 0,
  add column written_off bigint not null default 0,
  -- Who bears the loss of a default.
  add column loss_owner  int,
  drop constraint obligations_state_ck,
  add constraint obligations_state_ck
    check (state in ('OPEN', 'INSTRUCTED', 'PARTLY_PAID', 'PAID', 'OVERDUE', 'DEFAULTED', 'WRITTEN_OFF')),
  add constraint obligations_paid_ck
    check (paid >= 0 and written_off >= 0 and paid + written_off <= amount),
  add constraint obligations_settled_ck
    check ((paid + written_off = amount) = (state in ('PAID', 'WRITTEN_OFF')));
create index obligations_due_idx on settlement.obligations (due_at_us) where state in ('OPEN', 'PARTLY_PAID');

alter table settlement.settlements
  -- Of what was computed: an approval names it.
  add column digest bytea not null default ''::bytea,
  drop constraint settlements_state_ck,
  add constraint settlements_state_ck check (state in ('COMPUTED', 'APPROVED', 'INSTRUCTED', 'SETTLED'));

-- How the programme pays and is paid.
create table settlement.policies (
  programme_id  int    not null,
  -- Days from the approval to the end of the day when an obligation is due.
  payment_days  int    not null default 14,
  payout        text   not null default 'WHEN_DUE',
  -- Of its own money, how much it advances to partners beyond what it collected. By settlement, in minor
  -- units of its currency.
  reserve       bigint not null default 0,
  -- Incremented by each change.
  revision      bigint not null default 1,
  changed_by    text   not null default '',
  constraint policies_pk primary key (programme_id),
  constraint policies_payout_ck check (payout in ('WHEN_DUE', 'WHEN_COLLECTED')),
  constraint policies_amounts_ck check (payment_days between 0 and 365 and reserve >= 0)
);

-- A settlement whose payments are made when money was collected has more than one file.
alter table settlement.payment_files
  add column number   int    not null default 1,
  add column payments int    not null default 0,
  add column total    bigint not null default 0,
  drop constraint payment_files_pk,
  add constraint payment_files_pk primary key (settlement_id, number);
update settlement.payment_files f
   set payments = o.payments, total = o.total
  from (select settlement_id, count(*) as payments, sum(amount) as total
          from settlement.obligations
         where partner_is_paid
         group by settlement_id) o
 where o.settlement_id = f.settlement_id;
