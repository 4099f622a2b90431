-- Points that move between accounts. What a lot sent away counts as `moved`, and the lot that received
-- it names the one that it came from first.
alter table ledger.lots
  add column moved bigint not null default 0,
  add column origin_account bigint,
  add column origin_lot bigint,
  drop constraint lots_parts_ck,
  add constraint lots_parts_ck
    check (held >= 0 and held <= remaining and redeemed >= 0 and reversed >= 0 and expired >= 0
           and debt >= 0 and issued + debt = remaining + redeemed + reversed + expired + moved)
    not valid;

-- Accounts that were merged: what they still get goes on to another account, as the record of the
-- merge says.
create table ledger.forwards (
  book         int    not null,
  account_id   bigint not null,
  into_account bigint not null,
  constraint forwards_pk primary key (book, account_id)
);
