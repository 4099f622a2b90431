-- Days, for pictures and ages: which are finer than windows where these are longer than a day.

-- The first record of each day of the programme's zone in a book, from which a lot's day follows.
create table settlement.book_days (
  book         int    not null,
  day_us       bigint not null,
  first_number bigint not null,
  constraint book_days_pk primary key (book, day_us)
);

-- Points issued and redeemed by day. They are made from the entries of sealed windows, as lot positions are.
create table settlement.daily_points (
  book            int    not null,
  window_start_us bigint not null,
  currency        text   not null,
  day_us          bigint not null,
  issued          bigint not null,
  redeemed        bigint not null,
  constraint daily_points_pk primary key (book, window_start_us, currency, day_us)
);

-- The day on which the points were issued; 0 where that was before days were noted.
alter table settlement.lot_positions
  add column issued_day_us bigint not null default 0,
  drop constraint lot_positions_pk,
  add constraint lot_positions_pk
    primary key (book, window_start_us, contract_id, issued_window_us, expiry_month, move, issued_day_us);
