-- What partners' own views of windows were found to differ in.

create table settlement.reconciliations (
  reconciliation_id bigint generated always as identity,
  partner_id        int    not null,
  window_start_us   bigint not null,
  submitted_at_us   bigint not null,
  submitted_by      text   not null,
  request_id        uuid   not null,
  fingerprint       bytea  not null,
  lines             bigint not null,
  matched           bigint not null,
  missing_here      bigint not null,
  missing_there     bigint not null,
  amount_differs    bigint not null,
  duplicates        bigint not null,
  cleared           bigint not null,
  constraint reconciliations_pk primary key (reconciliation_id),
  constraint reconciliations_request_uq unique (partner_id, request_id)
);

create table settlement.breaks (
  break_id          bigint generated always as identity,
  -- That found it last.
  reconciliation_id bigint not null,
  partner_id        int    not null,
  window_start_us   bigint not null,
  kind              text   not null,
  item              text   not null,
  -- A record's name, a receipt, or "total".
  subject           text   not null,
  reference         text   not null,
  points_here       bigint,
  points_there      bigint,
  state             text   not null,
  owner             text   not null default '',
  opened_at_us      bigint not null,
  resolution        text   not null default '',
  -- The record or adjustment that puts it right.
  fix               text   not null default '',
  note              text   not null default '',
  resolved_by       text   not null default '',
  resolved_at_us    bigint,
  constraint breaks_pk primary key (break_id),
  constraint breaks_kind_ck
    check (kind in ('MISSING_HERE', 'MISSING_THERE', 'AMOUNT_DIFFERS', 'DUPLICATE')),
  constraint breaks_item_ck check (item in ('PURCHASE', 'RETURN', 'CAPTURE', 'REFUND')),
  constraint breaks_state_ck check (state in ('OPEN', 'ASSIGNED', 'RESOLVED')),
  constraint breaks_owner_ck check (state <> 'ASSIGNED' or owner <> ''),
  constraint breaks_resolution_ck
    check (resolution in ('', 'ACCEPTED', 'POSTED', 'ADJUSTED', 'CLEARED')
           and (state = 'RESOLVED') = (resolution <> '')
           and (state = 'RESOLVED') = (resolved_at_us is not null)
           and (resolution in ('POSTED', 'ADJUSTED')) = (fix <> ''))
);
alter table settlement.breaks add constraint breaks_reconciliation_fk
  foreign key (reconciliation_id) references settlement.reconciliations (reconciliation_id);
-- A difference that is found again is the same break as long as it is open.
create unique index breaks_open_uq
  on settlement.breaks (partner_id, window_start_us, kind, item, subject)
  where state <> 'RESOLVED';
