-- Points that staff gave to members or took from them: what was asked for, who approved it, and where it
-- was posted. Reasons and states are those of services/member/domain/adjustment.h.
create table member.adjustments (
  adjustment_id  bigint   not null generated always as identity,
  request_id     uuid     not null,
  book           int      not null,
  account_id     bigint   not null,
  -- Negative when taken.
  points         bigint   not null,
  reason         smallint not null,
  payer_id       int      not null,
  state          smallint not null,
  note           text     not null,
  proposed_by    text     not null,
  proposed_at_us bigint   not null,
  decided_by     text     not null default '',
  -- Of the record, once it is posted.
  number         bigint,
  posted_at_us   bigint,
  constraint adjustments_pk primary key (adjustment_id),
  constraint adjustments_request_uk unique (request_id),
  constraint adjustments_points_ck check (points <> 0)
);
create index adjustments_proposed_idx on member.adjustments (proposed_by, proposed_at_us);
create index adjustments_posted_idx on member.adjustments (posted_at_us) where posted_at_us is not null;

-- When points expire, of each version of the policy: what lanes read. The kinds are those of
-- libs/ledger/core/expiry.h.
alter table member.points_policies
  add column expiry_kind smallint not null default 0,
  add column expiry_months int not null default 0,
  add column expiry_month int not null default 12,
  add column expiry_day int not null default 31;
