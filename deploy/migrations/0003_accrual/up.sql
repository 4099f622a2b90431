create schema accrual;

create table accrual.rule_sets (
  rule_set_id       int    generated always as identity,
  state             text   not null,
  effective_from_us bigint not null,
  -- A serialized guilder.accrual.v1.RuleSet, of which only `rules` is read.
  rules             bytea  not null,
  proposed_by       text   not null,
  approved_by       text   not null default '',
  constraint rule_sets_pk primary key (rule_set_id),
  constraint rule_sets_state_ck check (state in ('PROPOSED', 'APPROVED'))
);

-- What could not be posted and waits for an operator. Named by the request id that brought it, so that
-- a repeat finds the same item.
create table accrual.parked_items (
  request_id    uuid   not null,
  partner_id    int    not null,
  account_id    bigint,
  reason        text   not null,
  created_at_us bigint not null,
  refers_to     text   not null,
  content       text   not null,
  resolved_at_us bigint,
  resolution    text   not null default '',
  constraint parked_items_pk primary key (partner_id, request_id)
);
create index parked_items_created_idx on accrual.parked_items (created_at_us, partner_id, request_id);
create index parked_items_account_idx on accrual.parked_items (account_id) where account_id is not null;
