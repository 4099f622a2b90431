-- oldest program: 26
-- The catalogue: rewards and their prices, orders of gifts, vouchers and their uses. An order and a voucher
-- are named by the record that made them, and their points are that record's hold (ledger.holds).
create schema catalogue;

create table catalogue.rewards (
  reward_id           int      generated always as identity,
  slug                text collate "C" not null,
  kind                smallint not null,
  display_name        text     not null,
  description         text     not null,
  withdrawn           boolean  not null,
  -- Who sends a gift; none for a voucher.
  partner_id          int,
  store_id            int,
  price_ttl_seconds   int      not null,
  -- Whether the limit of its stock bounds it (libs/ledger/core/limit.h).
  stock_limited       boolean  not null,
  per_member_limit    int      not null,
  valid_from_us       bigint   not null,
  valid_until_us      bigint   not null,
  -- One a line.
  regions             text     not null,
  confirm_within_days int      not null,
  -- Of a voucher.
  face_amount         bigint   not null,
  partner_ids         bigint[] not null,
  single_use          boolean  not null,
  validity_days       int      not null,
  revision            bigint   not null,
  constraint rewards_pk primary key (reward_id),
  constraint rewards_slug_uq unique (slug),
  constraint rewards_kind_ck check (kind in (1, 2)),
  constraint rewards_supplier_ck check ((kind = 1) = (partner_id is not null and store_id is not null))
);

-- Versions count 1, 2, 3 … An older price is honoured until then; the one in force has none.
create table catalogue.reward_prices (
  reward_id         int    not null,
  version           int    not null,
  points            bigint not null,
  money_amount      bigint not null,
  honoured_until_us bigint,
  constraint reward_prices_pk primary key (reward_id, version),
  constraint reward_prices_amounts_ck check (points > 0 and money_amount >= 0)
);
alter table catalogue.reward_prices add constraint reward_prices_reward_fk
  foreign key (reward_id) references catalogue.rewards (reward_id);

-- The requests that made and changed rewards, so that none is done twice.
create table catalogue.reward_changes (
  request_id  uuid   not null,
  fingerprint bytea  not null,
  reward_id   int    not null,
  changed_by  text   not null,
  constraint reward_changes_pk primary key (request_id)
);

create table catalogue.orders (
  book          int      not null,
  state         smallint not null,
  number        bigint   not null,
  account_id    bigint   not null,
  reward_id     int      not null,
  partner_id    int      not null,
  store_id      int      not null,
  price_version int      not null,
  quantity      bigint   not null,
  points        bigint   not null,
  money_amount  bigint   not null,
  ordered_at_us bigint   not null,
  confirm_by_us bigint   not null,
  updated_at_us bigint   not null,
  region        text     not null,
  reference     text     not null,
  constraint orders_pk primary key (book, number),
  constraint orders_state_ck check (state between 1 and 6),
  constraint orders_amounts_ck check (quantity > 0 and points > 0 and money_amount >= 0)
) with (fillfactor = 80);
create index orders_account_idx on catalogue.orders (book, account_id);
create index orders_partner_idx on catalogue.orders (partner_id, book, number);
-- Those that wait to be confirmed, by when they lapse.
create index orders_waiting_idx on catalogue.orders (confirm_by_us) where state = 1;

create table catalogue.vouchers (
  book          int      not null,
  refunded      boolean  not null default false,
  single_use    boolean  not null,
  number        bigint   not null,
  account_id    bigint   not null,
  reward_id     int      not null,
  price_version int      not null,
  points        bigint   not null,
  face_amount   bigint   not null,
  used_amount   bigint   not null default 0,
  used_points   bigint   not null default 0,
  issued_at_us  bigint   not null,
  expires_at_us bigint   not null,
  partner_ids   bigint[] not null,
  constraint vouchers_pk primary key (book, number),
  constraint vouchers_amounts_ck
    check (points > 0 and face_amount > 0 and used_amount between 0 and face_amount
           and used_points between 0 and points)
) with (fillfactor = 80);
create index vouchers_account_idx on catalogue.vouchers (book, account_id);

-- Keyed digests of codes: nobody who has this table has a code.
create table catalogue.voucher_codes (
  code_hash bytea  not null,
  book      int    not null,
  number    bigint not null,
  constraint voucher_codes_pk primary key (code_hash)
);
create index voucher_codes_voucher_idx on catalogue.voucher_codes (book, number);

create table catalogue.voucher_uses (
  book            int    not null,
  -- Of the record that took it.
  number          bigint not null,
  voucher         bigint not null,
  account_id      bigint not null,
  partner_id      int    not null,
  contract_id     int    not null,
  amount          bigint not null,
  points          bigint not null,
  refunded_amount bigint not null default 0,
  refunded_points bigint not null default 0,
  constraint voucher_uses_pk primary key (book, number),
  constraint voucher_uses_amounts_ck
    check (amount > 0 and points >= 0 and refunded_amount between 0 and amount
           and refunded_points between 0 and points)
) with (fillfactor = 80);
create index voucher_uses_voucher_idx on catalogue.voucher_uses (book, voucher);
create index voucher_uses_partner_idx on catalogue.voucher_uses (partner_id, book, voucher);
