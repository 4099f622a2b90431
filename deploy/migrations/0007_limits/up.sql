-- Limits over all books, kept by escrow: each book holds an allowance that it may spend alone.
--
-- Always granted = pool + the allowances' remaining points + what was spent, where what was spent follows
-- from the positions of the contract versions that the limit is of.

-- A limit's id follows from what it limits (libs/ledger/core/limit.h).
create table ledger.limits (
  limit_id bigint not null,
  -- All that was ever granted.
  granted  bigint not null,
  -- Granted, and in no book's allowance yet.
  pool     bigint not null,
  constraint limits_pk primary key (limit_id),
  constraint limits_points_ck check (pool >= 0 and granted >= pool)
) with (fillfactor = 40);

-- Written by the lane that has the book's lock, and by the allocator; both lock the row first.
create table ledger.allowances (
  book      int    not null,
  limit_id  bigint not null,
  remaining bigint not null,
  constraint allowances_pk primary key (book, limit_id),
  constraint allowances_remaining_ck check (remaining >= 0)
) with (fillfactor = 40);

-- How a partner pays for the points that it gives, and what happens to a purchase that its prepaid blocks
-- do not cover. Of issuance contracts.
alter table partner.contracts
  add column funding        text not null default 'POSTPAID',
  add column when_exhausted text not null default 'REFUSE',
  add constraint contracts_funding_ck check (funding in ('POSTPAID', 'PREPAID_BLOCK')) not valid,
  add constraint contracts_when_exhausted_ck
    check (when_exhausted in ('REFUSE', 'ISSUE_NOTHING')) not valid;
alter table partner.contracts
  validate constraint contracts_funding_ck,
  validate constraint contracts_when_exhausted_ck;

-- Points that partners have bought ahead. Their sum is what the partner's limit grants.
create table partner.point_blocks (
  partner_id   int    not null,
  -- Counts a partner's blocks: 1, 2, 3 …
  number       int    not null,
  points       bigint not null,
  bought_at_us bigint not null,
  sold_by      text   not null,
  request_id   uuid   not null,
  constraint point_blocks_pk primary key (partner_id, number),
  constraint point_blocks_request_uq unique (request_id),
  constraint point_blocks_points_ck check (points > 0)
);
alter table partner.point_blocks add constraint point_blocks_partner_fk
  foreign key (partner_id) references partner.partners (partner_id);
