-- What is known of a business, who looked at it, and how it leaves.
alter table partner.partners
  add column sanctions_result    text not null default '',
  add column sanctions_reference text not null default '',
  add column reviewed_at_us      bigint,
  add column approved_at_us      bigint,
  add column last_issue_us       bigint,
  add column last_redemption_us  bigint,
  add column last_return_us      bigint,
  add column final_settlement_us bigint,
  add constraint partners_sanctions_ck check (sanctions_result in ('', 'CLEAR', 'HIT')) not valid,
  -- All dates of a run-off, or none, in order.
  add constraint partners_run_off_ck
    check (num_nonnulls(last_issue_us, last_redemption_us, last_return_us, final_settlement_us) in (0, 4)
           and (last_issue_us is null
                or (greatest(last_issue_us, last_redemption_us) <= last_return_us
                    and last_return_us <= final_settlement_us))) not valid;
alter table partner.partners
  validate constraint partners_sanctions_ck,
  validate constraint partners_run_off_ck;

-- Documents are kept elsewhere; this proves which ones they were.
create table partner.documents (
  partner_id     int    not null,
  sha256         bytea  not null,
  kind           text   not null,
  display_name   text   not null,
  attached_by    text   not null,
  attached_at_us bigint not null,
  constraint documents_pk primary key (partner_id, sha256),
  constraint documents_sha256_ck check (length(sha256) = 32)
);
alter table partner.documents add constraint documents_partner_fk
  foreign key (partner_id) references partner.partners (partner_id);

alter table partner.stores
  add column address      text    not null default '',
  add column region       text    not null default '',
  -- Whether purchases may name terminals that are not registered.
  add column any_terminal boolean not null default false;

alter table partner.contracts
  add column notice_days    int not null default 0,
  -- Since when a proposal waits; null for those from before.
  add column proposed_at_us bigint,
  drop constraint contracts_state_ck,
  add constraint contracts_state_ck check (state in ('PROPOSED', 'APPROVED', 'REJECTED')) not valid,
  add constraint contracts_notice_ck check (notice_days >= 0) not valid;
alter table partner.contracts
  validate constraint contracts_state_ck,
  validate constraint contracts_notice_ck;

-- What people did. Appended to by every service, in the transaction that does it; never changed. Each
-- record's hash covers the one before.
create table operator.audit_log (
  number   bigint not null,
  at_us    bigint not null,
  actor    text   not null,
  peer     text   not null,
  action   text   not null,
  resource text collate "C" not null,
  -- As JSON, for people; not read by programs.
  before   text   not null,
  after    text   not null,
  hash     bytea  not null,
  constraint audit_log_pk primary key (number),
  constraint audit_log_hash_ck check (length(hash) = 32)
);
create index audit_log_resource_idx on operator.audit_log (resource, number);

-- The last record: one row, whose lock puts the records into one order.
create table operator.audit_head (
  only_row boolean not null default true,
  number   bigint  not null,
  hash     bytea   not null,
  constraint audit_head_pk primary key (only_row),
  constraint audit_head_only_ck check (only_row)
);
insert into operator.audit_head (number, hash) values (0, decode(repeat('00', 32), 'hex'));
