-- What redemptions at the till need: terms of contracts, restrictions and restored lives of lots, reviews,
-- and the programme's policy. Older programs would spend restricted points anywhere, so they post no more.

alter table partner.contracts
  -- Of a redemption contract: the fewest points, the step, and the share of a basket; goods that are not paid.
  add column minimum_points          bigint not null default 0,
  add column step_points             bigint not null default 0,
  add column maximum_share_per_mille int    not null default 1000,
  add column excluded_categories     text[] not null default '{}',
  add column excluded_skus           text[] not null default '{}',
  -- Of an issuance contract: 0 anywhere, 1 at the issuer, 2 on gifts.
  add column points_use              smallint not null default 0;

alter table ledger.lots
  -- Where alone the points may be spent: a partner's id, -1 for gifts, 0 for anywhere.
  add column restricted_to     int    not null default 0,
  -- Points that came back after the lot had expired live until then.
  add column restored_until_us bigint not null default 0;

-- Whether the hold was opened to be reviewed.
alter table ledger.holds add column reviewed smallint not null default 0;

-- Until when points live that the record gave back to lots which had expired.
alter table ledger.journal add column restored_until_us bigint;

update ledger.books set format_version = 3;

create schema redemption;

-- Every version of a programme's policy; the one with the highest number is in force.
create table redemption.policies (
  programme_id                int      not null,
  number                      int      not null,
  consumption_order           smallint not null,
  grace_days                  int      not null,
  step_up_points              bigint   not null,
  max_failed_attempts         int      not null,
  review_redemptions          int      not null,
  review_period_seconds       bigint   not null,
  review_new_device_per_mille int      not null,
  review_seconds              bigint   not null,
  set_by                      text     not null,
  set_at_us                   bigint   not null,
  constraint policies_pk primary key (programme_id, number)
);

-- The orders that a member's points were held for: the key is a digest of the partner's reference.
create table redemption.orders (
  book          int    not null,
  account_id    bigint not null,
  partner_id    int    not null,
  order_key     uuid   not null,
  -- The last redemption of the order, and when the first one was authorized.
  number        bigint not null,
  first_held_us bigint not null,
  constraint orders_pk primary key (book, account_id, partner_id, order_key)
);

create index orders_partner_idx on redemption.orders (partner_id, order_key);

-- What a member proves itself with. Lock and attempts are for all partners.
create table redemption.members (
  book                int    not null,
  account_id          bigint not null,
  -- Argon2id; null for none.
  pin_hash            text,
  pin_set_us          bigint not null default 0,
  failed_attempts     int    not null default 0,
  locked_at_us        bigint,
  -- HMAC-SHA-256 of a one-time code; null for none.
  code_hash           bytea,
  code_expires_us     bigint not null default 0,
  constraint members_pk primary key (book, account_id)
) with (fillfactor = 70);

-- The devices from which a member has paid, as digests of what partners call them.
create table redemption.devices (
  book          int    not null,
  account_id    bigint not null,
  device_key    uuid   not null,
  first_used_us bigint not null,
  constraint devices_pk primary key (book, account_id, device_key)
);

-- Redemptions that were held to be looked at. Whether one still is says its hold.
create table redemption.reviews (
  book          int    not null,
  number        bigint not null,
  account_id    bigint not null,
  partner_id    int    not null,
  -- Why: COUNT or NEW_DEVICE.
  reason        text   not null,
  created_at_us bigint not null,
  -- Whether it is captured when it is released.
  captures      bool   not null,
  decided_at_us bigint,
  decided_by    text   not null default '',
  note          text   not null default '',
  constraint reviews_pk primary key (book, number)
);

create index reviews_open_idx on redemption.reviews (created_at_us, book, number)
  where decided_at_us is null;
