-- What members are to be told before points expire. How many is asked for when it is read.
create table member.notices (
  notice_id     bigint generated always as identity,
  book          int    not null,
  account_id    bigint not null,
  expires_at_us bigint not null,
  prepared_at_us bigint not null,
  sent_at_us    bigint,
  constraint notices_pk primary key (notice_id),
  constraint notices_once_uq unique (book, account_id, expires_at_us)
);
create index notices_open_idx on member.notices (notice_id) where sent_at_us is null;
