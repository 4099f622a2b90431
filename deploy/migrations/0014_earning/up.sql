-- oldest program: 13
-- What caps of rules count, and quotes that were used.

-- The serial under which a cap counts: the same for caps of one id, scope and period in all versions of
-- the rules.
create table accrual.caps (
  cap_serial int  generated always as identity,
  cap_id     text collate "C" not null,
  scope      text not null,
  period     text not null,
  constraint caps_pk primary key (cap_serial),
  constraint caps_id_uq unique (cap_id, scope, period)
);

-- Points by counter (services/accrual/domain/counters.h): of a member, or, with account 0, what the book
-- gave of a limit over all books.
create table accrual.counters (
  book       int    not null,
  account_id bigint not null,
  counter_id bigint not null,
  points     bigint not null,
  constraint counters_pk primary key (book, account_id, counter_id),
  constraint counters_points_ck check (points >= 0)
) with (fillfactor = 40);

create table accrual.used_quotes (
  quote_id uuid   not null,
  book     int    not null,
  number   bigint not null,
  constraint used_quotes_pk primary key (quote_id)
);
