-- oldest program: 29
-- Where members stand, as rules ask: tiers and segments by time, and the day of birth by itself.
create table member.tiers (
  book          int    not null,
  account_id    bigint not null,
  -- In the order in which it was noted. What is so at a time is the row with the latest `from_us` up to
  -- it; of several, the one noted last.
  number        int    not null,
  tier          text   not null,
  from_us       bigint not null,
  changed_at_us bigint not null,
  changed_by    text   not null,
  reason        text   not null,
  constraint tiers_pk primary key (book, account_id, number)
);

-- Times in segments, which may overlap.
create table member.segments (
  book       int    not null,
  account_id bigint not null,
  number     int    not null,
  segment    text   not null,
  from_us    bigint not null,
  until_us   bigint not null,
  changed_by text   not null,
  constraint segments_pk primary key (book, account_id, number)
);

alter table member.members
  -- Day and month of birth, sealed under the member's key: all that rules need of the profile. Of members
  -- enrolled before, it is filled in when their data changes, and when keys are rotated.
  add column sealed_birthday bytea;
