-- What was parked can be posted later: the request itself; and returns wait for their sale by its claim.
alter table accrual.parked_items
  add column kind       smallint not null default 0,
  add column request    bytea    not null default ''::bytea,
  add column sale_claim uuid;

create index parked_items_waiting_idx on accrual.parked_items (sale_claim)
  where sale_claim is not null and resolved_at_us is null;
