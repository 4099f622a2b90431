-- Where points do not expire by time alone, and what was forfeited rather than expired. Older programs would let points
-- expire too early, so they post no more.

-- Where, as "DE" or "US-CA", by this version of the policy; and for how many days what is over by its own date still
-- lives when its member moves away.
alter table member.points_policies
  add column residences           text[] not null default '{}',
  add column residence_grace_days int    not null default 0;

-- What would end in [from, until) ends at `until` instead. It does not say where anybody lives.
alter table ledger.accounts
  add column spared_from_us  bigint not null default 0,
  add column spared_until_us bigint not null default 0;

-- Of `expired`, what was taken as a fee or by staff.
alter table ledger.lots add column forfeited bigint not null default 0;

-- Where members live. What is so at a time is the row with the latest `from_us` up to it; of several, the one noted
-- last. The place is sealed under the member's key.
create table member.residences (
  book         int    not null,
  account_id   bigint not null,
  number       int    not null,
  from_us      bigint not null,
  noted_at_us  bigint not null,
  noted_by     text   not null,
  sealed_place bytea  not null,
  constraint residences_pk primary key (book, account_id, number)
);

-- Of accounts whose member's residence is known: by which version of the policy the ledger spares their points, -1
-- while it is to be told, and when it is to be told again. `tellings` counts how often it was.
create table member.resident_accounts (
  book           int    not null,
  account_id     bigint not null,
  policy_version bigint not null,
  next_change_us bigint not null,
  tellings       bigint not null default 0,
  constraint resident_accounts_pk primary key (book, account_id)
);

-- Notices are read by when points expire.
drop index member.notices_open_idx;

update ledger.books set format_version = 6;
