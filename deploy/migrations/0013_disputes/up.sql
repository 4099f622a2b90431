-- Disputes of billed lines, what is credited for them, and credit notes that name their invoice.

create table settlement.dispute_policies (
  programme_id    int     not null,
  open_days       int     not null,
  resolve_days    int     not null,
  -- Whether what is disputed is not overdue before it is decided.
  excluded        boolean not null,
  default_outcome text    not null,
  changed_by      text    not null,
  constraint dispute_policies_pk primary key (programme_id),
  constraint dispute_policies_outcome_ck check (default_outcome in ('UPHELD', 'REJECTED'))
);

-- Credited to a partner for a line. It belongs to the window of its posted time.
create table settlement.adjustments (
  adjustment_id bigint generated always as identity,
  partner_id    int    not null,
  settlement_id int    not null,
  line          int    not null,
  -- "disputes/3" or "breaks/7".
  source        text   not null,
  net           bigint not null,
  tax           bigint not null,
  posted_by     text   not null,
  posted_at_us  bigint not null,
  constraint adjustments_pk primary key (adjustment_id),
  constraint adjustments_source_uq unique (source),
  constraint adjustments_amount_ck check (net > 0 and tax >= 0)
);
alter table settlement.adjustments add constraint adjustments_line_fk
  foreign key (settlement_id, line) references settlement.lines (settlement_id, line);
create index adjustments_posted_idx on settlement.adjustments (posted_at_us);

create table settlement.credit_notes (
  credit_note_number text   not null,
  invoice_number     text   not null,
  adjustment_id      bigint not null,
  issued_at_us       bigint not null,
  constraint credit_notes_pk primary key (credit_note_number),
  constraint credit_notes_adjustment_uq unique (adjustment_id)
);
alter table settlement.credit_notes add constraint credit_notes_invoice_fk
  foreign key (invoice_number) references settlement.invoices (invoice_number);
alter table settlement.credit_notes add constraint credit_notes_adjustment_fk
  foreign key (adjustment_id) references settlement.adjustments (adjustment_id);

create table settlement.disputes (
  dispute_id      bigint  generated always as identity,
  partner_id      int     not null,
  settlement_id   int     not null,
  line            int     not null,
  amount          bigint  not null,
  reason          text    not null,
  -- SHA-256 of what the partner has to show.
  evidence        bytea   not null,
  evidence_name   text    not null,
  state           text    not null,
  excluded        boolean not null,
  opened_by       text    not null,
  opened_at_us    bigint  not null,
  deadline_us     bigint  not null,
  default_outcome text    not null,
  resolved_by     text    not null default '',
  resolved_at_us  bigint,
  note            text    not null default '',
  credited        bigint  not null default 0,
  adjustment_id   bigint,
  request_id      uuid    not null,
  constraint disputes_pk primary key (dispute_id),
  -- A line is disputed once.
  constraint disputes_line_uq unique (settlement_id, line),
  constraint disputes_request_uq unique (request_id),
  constraint disputes_amount_ck check (amount > 0 and credited between 0 and amount),
  constraint disputes_state_ck
    check (state in ('OPEN', 'UPHELD', 'REJECTED') and (state = 'OPEN') = (resolved_at_us is null)
           and (state = 'UPHELD') = (adjustment_id is not null)
           and (state = 'UPHELD') = (credited > 0)),
  constraint disputes_outcome_ck check (default_outcome in ('UPHELD', 'REJECTED'))
);
alter table settlement.disputes add constraint disputes_line_fk
  foreign key (settlement_id, line) references settlement.lines (settlement_id, line);
alter table settlement.disputes add constraint disputes_adjustment_fk
  foreign key (adjustment_id) references settlement.adjustments (adjustment_id);
create index disputes_due_idx on settlement.disputes (deadline_us) where state = 'OPEN';

-- What of an obligation is disputed and not overdue meanwhile.
alter table settlement.obligations add column disputed bigint not null default 0;
