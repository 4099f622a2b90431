create schema settlement;

create table settlement.settlements (
  settlement_id  int    not null,
  programme_id   int    not null,
  currency       text   not null,
  state          text   not null,
  -- Its windows follow one another from start to end.
  start_us       bigint not null,
  end_us         bigint not null,
  computed_by    text   not null,
  approved_by    text   not null default '',
  approved_at_us bigint,
  constraint settlements_pk primary key (settlement_id),
  constraint settlements_state_ck check (state in ('COMPUTED', 'APPROVED', 'INSTRUCTED')),
  constraint settlements_approval_ck
    check ((state = 'COMPUTED') = (approved_at_us is null) and (state = 'COMPUTED') = (approved_by = '')
           and approved_by <> computed_by)
);

-- Sealed windows. A window is in one settlement at most.
create table settlement.windows (
  window_start_us bigint not null,
  window_end_us   bigint not null,
  sealed_at_us    bigint not null,
  settlement_id   int,
  constraint windows_pk primary key (window_start_us),
  constraint windows_interval_ck check (window_end_us > window_start_us)
);
alter table settlement.windows add constraint windows_settlement_fk
  foreign key (settlement_id) references settlement.settlements (settlement_id);
-- Finds how far has been sealed.
create index windows_end_idx on settlement.windows (window_end_us);

create table settlement.lines (
  settlement_id     int    not null,
  line              int    not null,
  partner_id        int    not null,
  contract_id       int    not null,
  leg               text   not null,
  points            bigint not null,
  cumulative_points bigint not null,
  amount            bigint not null,
  tax_code          text   not null,
  tax_ppm           int    not null,
  tax               bigint not null,
  constraint lines_pk primary key (settlement_id, line),
  constraint lines_leg_uq unique (settlement_id, contract_id, leg),
  constraint lines_leg_ck check (leg in ('ISSUANCE', 'REIMBURSEMENT', 'FEE'))
);
alter table settlement.lines add constraint lines_settlement_fk
  foreign key (settlement_id) references settlement.settlements (settlement_id);

-- What each partner's lines come to. A positive net is paid to the partner.
create table settlement.nets (
  settlement_id   int    not null,
  partner_id      int    not null,
  points_issued   bigint not null,
  points_reversed bigint not null,
  points_redeemed bigint not null,
  issuance        bigint not null,
  reimbursement   bigint not null,
  fee             bigint not null,
  tax             bigint not null,
  net             bigint not null,
  constraint nets_pk primary key (settlement_id, partner_id),
  constraint nets_sum_ck check (net = reimbursement - issuance - fee - tax)
);
alter table settlement.nets add constraint nets_settlement_fk
  foreign key (settlement_id) references settlement.settlements (settlement_id);

create table settlement.obligations (
  settlement_id   int     not null,
  partner_id      int     not null,
  partner_is_paid boolean not null,
  amount          bigint  not null,
  state           text    not null,
  end_to_end_id   text    not null,
  constraint obligations_pk primary key (settlement_id, partner_id),
  constraint obligations_amount_ck check (amount > 0),
  constraint obligations_state_ck check (state in ('OPEN', 'INSTRUCTED'))
);
alter table settlement.obligations add constraint obligations_settlement_fk
  foreign key (settlement_id) references settlement.settlements (settlement_id);
create unique index obligations_end_to_end_uq on settlement.obligations (end_to_end_id)
  where end_to_end_id <> '';

-- Hands out invoice numbers without gaps: taken in the transaction that writes the invoice.
create table settlement.number_ranges (
  kind        text not null,
  year        int  not null,
  last_number int  not null,
  constraint number_ranges_pk primary key (kind, year)
);

create table settlement.invoices (
  invoice_number text   not null,
  kind           text   not null,
  partner_id     int    not null,
  settlement_id  int    not null,
  issued_at_us   bigint not null,
  net            bigint not null,
  tax            bigint not null,
  constraint invoices_pk primary key (invoice_number),
  constraint invoices_kind_ck check (kind in ('INVOICE', 'SELF_BILLED')),
  constraint invoices_partner_uq unique (settlement_id, partner_id, kind)
);
alter table settlement.invoices add constraint invoices_settlement_fk
  foreign key (settlement_id) references settlement.settlements (settlement_id);

create table settlement.invoice_lines (
  invoice_number text not null,
  line           int  not null,
  settlement_id  int  not null,
  constraint invoice_lines_pk primary key (invoice_number, line),
  constraint invoice_lines_once_uq unique (settlement_id, line)
);
alter table settlement.invoice_lines add constraint invoice_lines_invoice_fk
  foreign key (invoice_number) references settlement.invoices (invoice_number);
alter table settlement.invoice_lines add constraint invoice_lines_line_fk
  foreign key (settlement_id, line) references settlement.lines (settlement_id, line);

-- The money ledger in double entry, by the same form as the points. An account is kept by partner or by
-- programme; that of a tax names its code, as in "TAX:S19". `contract_id` is null for a set-off.
create table settlement.money_entries (
  settlement_id  int    not null,
  line           int    not null,
  partner_id     int    not null,
  contract_id    int,
  cause          text   not null,
  currency       text   not null,
  debit_account  text   not null,
  debit_partner  int,
  credit_account text   not null,
  credit_partner int,
  amount         bigint not null,
  constraint money_entries_pk primary key (settlement_id, line),
  constraint money_entries_amount_ck check (amount > 0),
  constraint money_entries_cause_ck
    check (cause in ('ISSUANCE', 'REIMBURSEMENT', 'FEE', 'SET_OFF'))
);
alter table settlement.money_entries add constraint money_entries_settlement_fk
  foreign key (settlement_id) references settlement.settlements (settlement_id);

create table settlement.payment_files (
  settlement_id int   not null,
  file_name     text  not null,
  content       bytea not null,
  constraint payment_files_pk primary key (settlement_id)
);
alter table settlement.payment_files add constraint payment_files_settlement_fk
  foreign key (settlement_id) references settlement.settlements (settlement_id);
