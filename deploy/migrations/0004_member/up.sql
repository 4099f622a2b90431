create schema member;

-- A member owns the account of the same book and id.
create table member.members (
  book           int    not null,
  account_id     bigint not null,
  enrolled_at_us bigint not null,
  -- The member's own key, sealed under the server's; destroying it erases the member.
  sealed_key     bytea,
  -- Personal data, sealed under the member's key.
  sealed_profile bytea,
  -- HMACs of phone and e-mail, for lookup only.
  phone_index    bytea,
  email_index    bytea,
  constraint members_pk primary key (book, account_id)
);
create index members_phone_idx on member.members (phone_index) where phone_index is not null;
create index members_email_idx on member.members (email_index) where email_index is not null;

create table member.cards (
  card_number    bigint   not null,
  account_id     bigint   not null,
  book           int      not null,
  state          smallint not null,
  issued_at_us   bigint   not null,
  -- The request that asked for it: a repeat finds the same cards.
  request_id     uuid     not null,
  blocked_reason text     not null default '',
  constraint cards_pk primary key (card_number)
);
create index cards_account_idx on member.cards (book, account_id);
create index cards_request_idx on member.cards (request_id);

-- The payload of card numbers, before the check digit.
create sequence member.card_serials as bigint minvalue 1 maxvalue 999999999999;
