-- What lots became, by the version that issued them, and contracts that are billed by it.

-- Points of a window by the version that issued their lots, the window in which it did, the month in
-- which they expire (202612; 0 for never), and what became of them. They follow from the entries of
-- sealed windows, and are made from them once.
create table settlement.lot_positions (
  book             int      not null,
  window_start_us  bigint   not null,
  contract_id      int      not null,
  issued_window_us bigint   not null,
  expiry_month     int      not null,
  move             smallint not null,
  points           bigint   not null,
  constraint lot_positions_pk
    primary key (book, window_start_us, contract_id, issued_window_us, expiry_month, move),
  constraint lot_positions_move_ck check (move between 1 and 5)
);
create index lot_positions_contract_idx on settlement.lot_positions (contract_id, window_start_us);

-- Up to which record of each book they have been made.
create table settlement.lot_progress (
  book        int    not null,
  last_number bigint not null default 0,
  constraint lot_progress_pk primary key (book)
);

alter table partner.contracts
  add column reserve_ppm    int    not null default 0,
  add column breakage_ppm   int    not null default 0,
  add column fee_per_window bigint not null default 0,
  add column minimum_payout bigint not null default 0,
  drop constraint contracts_funding_ck,
  add constraint contracts_funding_ck
    check (funding in ('POSTPAID', 'PREPAID_BLOCK', 'POSTPAID_AT_REDEMPTION', 'HYBRID')) not valid,
  add constraint contracts_shares_ck
    check (reserve_ppm between 0 and 1000000 and breakage_ppm between 0 and 1000000
           and fee_per_window >= 0 and minimum_payout >= 0) not valid;
alter table partner.contracts
  validate constraint contracts_funding_ck,
  validate constraint contracts_shares_ck;

-- Whether the clearing job computes a settlement of each window.
alter table settlement.policies add column settle_each_window boolean not null default false;

alter table settlement.lines
  drop constraint lines_leg_ck,
  add constraint lines_leg_ck
    check (leg in ('ISSUANCE', 'REIMBURSEMENT', 'FEE', 'RESERVE', 'BREAKAGE'));

-- `tax` is what the partner owes: on issuance and fee, less that on reimbursement and breakage.
alter table settlement.nets
  add column reserve     bigint not null default 0,
  add column breakage    bigint not null default 0,
  -- What it was owed before, and is owed afterwards, without an obligation.
  add column carried_in  bigint not null default 0,
  add column carried_out bigint not null default 0,
  drop constraint nets_sum_ck,
  add constraint nets_sum_ck
    check (net = reimbursement + breakage - issuance - reserve - fee - tax),
  add constraint nets_carried_ck check (carried_in >= 0 and carried_out >= 0);
