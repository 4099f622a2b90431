-- What banks told of payments, and write-offs of what nobody pays.

create table settlement.bank_files (
  file_id        bigint generated always as identity,
  kind           text   not null,
  message_id     text   not null,
  -- SHA-256 of its bytes: the same file is imported once.
  digest         bytea  not null,
  request_id     uuid   not null,
  imported_by    text   not null,
  imported_at_us bigint not null,
  constraint bank_files_pk primary key (file_id),
  constraint bank_files_digest_uq unique (digest),
  constraint bank_files_request_uq unique (request_id),
  constraint bank_files_kind_ck check (kind in ('STATEMENT', 'STATUS_REPORT'))
);

create table settlement.bank_entries (
  entry_id             bigint  generated always as identity,
  file_id              bigint  not null,
  account              text    not null,
  bank_reference       text    not null,
  booking_date         text    not null,
  credit               boolean not null,
  currency             text    not null,
  amount               bigint  not null,
  end_to_end_id        text    not null,
  counterparty_name    text    not null,
  counterparty_account text    not null,
  remittance           text    not null,
  return_reason        text    not null,
  identity             bytea   not null,
  outcome              text    not null,
  -- The obligation that it pays or takes back, and by how much.
  settlement_id        int,
  partner_id           int,
  applied              bigint  not null default 0,
  -- What is still in suspense of it.
  suspense             bigint  not null default 0,
  constraint bank_entries_pk primary key (entry_id),
  constraint bank_entries_amount_ck check (amount >= 0 and suspense between 0 and amount),
  constraint bank_entries_obligation_ck
    check ((settlement_id is null) = (partner_id is null) and (applied = 0 or partner_id is not null)),
  constraint bank_entries_outcome_ck
    check (outcome in ('PENDING', 'EXACT', 'PARTIAL', 'OVER', 'ALREADY_PAID', 'RETURNED',
                       'WRONG_REFERENCE', 'UNKNOWN', 'OTHER_ACCOUNT', 'OTHER_CURRENCY', 'NOT_BOOKED',
                       'DUPLICATE', 'ACCEPTED', 'REJECTED'))
);
alter table settlement.bank_entries add constraint bank_entries_file_fk
  foreign key (file_id) references settlement.bank_files (file_id);
alter table settlement.bank_entries add constraint bank_entries_obligation_fk
  foreign key (settlement_id, partner_id) references settlement.obligations (settlement_id, partner_id);
-- A payment counts once, in however many files it comes.
create unique index bank_entries_identity_uq on settlement.bank_entries (identity)
  where outcome <> 'DUPLICATE';
create index bank_entries_file_idx on settlement.bank_entries (file_id, entry_id);
create index bank_entries_obligation_idx on settlement.bank_entries (settlement_id, partner_id)
  where settlement_id is not null;
create index bank_entries_suspense_idx on settlement.bank_entries (entry_id) where suspense > 0;

-- What operators took out of suspense.
create table settlement.allocations (
  request_id      uuid   not null,
  entry_id        bigint not null,
  settlement_id   int    not null,
  partner_id      int    not null,
  amount          bigint not null,
  allocated_by    text   not null,
  allocated_at_us bigint not null,
  constraint allocations_pk primary key (request_id),
  constraint allocations_amount_ck check (amount > 0)
);
alter table settlement.allocations add constraint allocations_entry_fk
  foreign key (entry_id) references settlement.bank_entries (entry_id);
alter table settlement.allocations add constraint allocations_obligation_fk
  foreign key (settlement_id, partner_id) references settlement.obligations (settlement_id, partner_id);

-- One person proposes, another approves.
create table settlement.write_offs (
  settlement_id  int    not null,
  partner_id     int    not null,
  amount         bigint not null,
  note           text   not null,
  proposed_by    text   not null,
  proposed_at_us bigint not null,
  approved_by    text   not null default '',
  approved_at_us bigint,
  constraint write_offs_pk primary key (settlement_id, partner_id),
  constraint write_offs_amount_ck check (amount > 0),
  constraint write_offs_approval_ck
    check ((approved_by = '') = (approved_at_us is null) and approved_by <> proposed_by)
);
alter table settlement.write_offs add constraint write_offs_obligation_fk
  foreign key (settlement_id, partner_id) references settlement.obligations (settlement_id, partner_id);
