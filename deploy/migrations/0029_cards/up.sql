-- Numbers of cards: ranges, batches that stores hand out, cards that were shown before their owner was
-- known, and what happened to each.
create table member.card_ranges (
  range_id      int generated always as identity,
  -- Null for the programme's own.
  partner_id    int,
  prefix        text   not null,
  digits        int    not null,
  claim_days    int    not null,
  -- The serial of the next number.
  next_serial   bigint not null default 1,
  request_id    uuid   not null,
  created_by    text   not null,
  created_at_us bigint not null,
  constraint card_ranges_pk primary key (range_id),
  constraint card_ranges_request_uq unique (request_id),
  constraint card_ranges_digits_ck check (digits between 12 and 18 and length(prefix) between 1 and 10)
);

create table member.card_batches (
  batch_id      int generated always as identity,
  range_id      int    not null,
  store_id      int    not null,
  card_count    int    not null,
  request_id    uuid   not null,
  created_by    text   not null,
  created_at_us bigint not null,
  constraint card_batches_pk primary key (batch_id),
  constraint card_batches_request_uq unique (request_id)
);
alter table member.card_batches add constraint card_batches_range_fk
  foreign key (range_id) references member.card_ranges (range_id);

-- Cards of batches. One that was shown has its row in member.cards, too.
create table member.stock_cards (
  card_number bigint   not null,
  batch_id    int      not null,
  -- 0 waits, 1 was shown, 2 is blocked.
  state       smallint not null default 0,
  constraint stock_cards_pk primary key (card_number),
  constraint stock_cards_state_ck check (state in (0, 1, 2))
);
create index stock_cards_batch_idx on member.stock_cards (batch_id, card_number);

-- Accounts of cards whose owner has not enrolled yet.
create table member.unclaimed_accounts (
  book         int    not null,
  account_id   bigint not null,
  opened_at_us bigint not null,
  -- Null for never.
  claim_by_us  bigint,
  constraint unclaimed_accounts_pk primary key (book, account_id)
);
create index unclaimed_accounts_claim_idx on member.unclaimed_accounts (claim_by_us);

create table member.card_events (
  card_number bigint   not null,
  number      int      not null,
  at_us       bigint   not null,
  -- As services/member/store/cards.h has them.
  event       smallint not null,
  actor       text     not null,
  reason      text     not null default '',
  other_card  bigint,
  constraint card_events_pk primary key (card_number, number)
);
