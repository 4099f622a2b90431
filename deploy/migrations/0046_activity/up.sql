-- Points that live by their owner's activity. Older programs would let them expire too early, so they post no more.

-- The sum of the activities that count, and how long points live at least. The numbers are those of
-- libs/ledger/core/expiry.h.
alter table member.points_policies
  add column expiry_activities int not null default 0,
  add column minimum_life_days int not null default 0;

-- Until when the lots live at least that live by activity.
alter table ledger.accounts add column active_until_us bigint not null default 0;

-- Whether its account's activity lets it live longer than `expires_at_us`: 1 if so.
alter table ledger.lots add column lives_by_activity smallint not null default 0;

-- Of an activity, or of what undoes one: until when lots live for it.
alter table ledger.journal add column active_until_us bigint;

update ledger.books set format_version = 5;
