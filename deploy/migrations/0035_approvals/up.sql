-- Requests that need a second person before they may be made. Written by the operator service, and, when it is
-- used, by the service whose request it is, in the transaction that does what was approved.
create table operator.approvals (
  approval_id     bigint not null generated always as identity,
  -- The request's message, as "guilder.partner.v1.UpdateExposurePolicyRequest".
  request_type    text   not null,
  -- For people, as JSON.
  change          text   not null,
  -- SHA-256 over the type and the exact request.
  change_hash     bytea  not null,
  note            text   not null,
  state           text   not null default 'WAITING',
  requested_by    text   not null,
  -- By the database's clock, as those below.
  requested_at_us bigint not null,
  expires_at_us   bigint not null,
  decided_by      text   not null default '',
  decided_at_us   bigint,
  decision_note   text   not null default '',
  used_at_us      bigint,
  constraint approvals_pk primary key (approval_id),
  constraint approvals_state_ck check (state in ('WAITING', 'APPROVED', 'REJECTED', 'USED')),
  constraint approvals_people_ck check (state not in ('APPROVED', 'USED') or decided_by not in ('', requested_by)),
  constraint approvals_hash_ck check (length(change_hash) = 32)
);
create index approvals_hash_idx on operator.approvals (change_hash);
