-- Blocks of points may end, and what becomes of the money of what is unused then is declared when they are
-- sold. Reserves are used after all others.
alter table partner.point_blocks
  add column ends_at_us bigint,
  add column when_ended text    not null default '',
  add column reserve    boolean not null default false,
  add constraint point_blocks_end_ck
    check (case when ends_at_us is null then when_ended = '' else when_ended in ('CREDIT', 'FORFEIT') end);

-- What ends took of blocks, which themselves never change. A block without a row is open. One that is over gets
-- another row when points of it come back.
create table partner.point_block_endings (
  partner_id  int     not null,
  number      int     not null,
  -- In no sealed window.
  ended_at_us bigint  not null,
  points      bigint  not null,
  -- Credited by the settlement of that window; otherwise kept.
  credited    boolean not null,
  constraint point_block_endings_pk primary key (partner_id, number, ended_at_us),
  constraint point_block_endings_points_ck check (points >= 0)
);
alter table partner.point_block_endings add constraint point_block_endings_block_fk
  foreign key (partner_id, number) references partner.point_blocks (partner_id, number);

-- What the next settlement may make a partner owe at most, 0 for any amount; and how long a block lasts that a
-- partner buys by itself, 0 for ever.
alter table partner.exposure_policies
  add column net_debit_cap      bigint not null default 0,
  add column reorder_days       int    not null default 0,
  add column reorder_when_ended text   not null default '',
  add constraint exposure_policies_reorder_ck
    check (net_debit_cap >= 0
           and case when reorder_days = 0 then reorder_when_ended = ''
                    else reorder_days > 0 and reorder_when_ended in ('CREDIT', 'FORFEIT') end);

-- Whether people were told that the partner's reserve was begun.
alter table partner.exposure_states add column reserve_begun boolean not null default false;

-- A credential may be a client certificate, by the SHA-256 of its DER form. Its key is one that nobody was told.
-- What was revoked may be issued anew.
alter table partner.credentials add column certificate_sha256 bytea;
create unique index credentials_certificate_uq on partner.credentials (certificate_sha256)
 where revoked_at_us is null;
