-- What lists are ordered by, and codes of callers, compare by their bytes (collate "C"), so that the order
-- of a list does not depend on the cluster's locale.
create schema partner;

create table partner.partners (
  partner_id             int     generated always as identity,
  slug                   text collate "C" not null,
  programme_id           int     not null,
  display_name           text    not null,
  legal_name             text    not null default '',
  registration_number    text    not null default '',
  tax_id                 text    not null default '',
  iban                   text    not null default '',
  merchant_category_code text    not null default '',
  state                  text    not null,
  programme_operator     boolean not null default false,
  submitted_by           text    not null default '',
  reviewed_by            text    not null default '',
  approved_by            text    not null default '',
  -- Incremented by each change.
  revision               bigint  not null default 1,
  constraint partners_pk primary key (partner_id),
  constraint partners_slug_uq unique (slug),
  constraint partners_state_ck check (state in ('DRAFT', 'SUBMITTED', 'IN_REVIEW', 'ACTIVE', 'SUSPENDED',
                                                'TERMINATING', 'TERMINATED'))
);

create unique index partners_operator_uq on partner.partners (programme_id) where programme_operator;

create table partner.stores (
  store_id     int     generated always as identity,
  partner_id   int     not null,
  code         text collate "C" not null,
  display_name text    not null,
  time_zone    text    not null,
  open         boolean not null default true,
  constraint stores_pk primary key (store_id),
  constraint stores_code_uq unique (partner_id, code)
);
alter table partner.stores add constraint stores_partner_fk
  foreign key (partner_id) references partner.partners (partner_id);

create table partner.terminals (
  store_id int  not null,
  code     text collate "C" not null,
  constraint terminals_pk primary key (store_id, code)
);
alter table partner.terminals add constraint terminals_store_fk
  foreign key (store_id) references partner.stores (store_id);

-- Contract versions of both kinds. Columns of the other kind are zero or empty.
create table partner.contracts (
  contract_id          int    generated always as identity,
  partner_id           int    not null,
  -- Counts a partner's versions of both kinds: 1, 2, 3 …
  number               int    not null,
  kind                 text   not null,
  state                text   not null,
  effective_from_us    bigint not null,
  effective_until_us   bigint,
  rate_micros          bigint not null,
  currency             text   not null,
  tax_code             text   not null,
  tax_ppm              int    not null,
  billed_at            text   not null default 'POSTING',
  activation_days      int    not null default 0,
  default_outcome      text   not null default 'ACTIVATE',
  lot_life_days        int    not null default 0,
  fee_ppm              int    not null default 0,
  fee_micros_per_point bigint not null default 0,
  fee_tax_code         text   not null default '',
  fee_tax_ppm          int    not null default 0,
  proposed_by          text   not null,
  approved_by          text   not null default '',
  constraint contracts_pk primary key (contract_id),
  constraint contracts_number_uq unique (partner_id, number),
  constraint contracts_kind_ck check (kind in ('ISSUANCE', 'REDEMPTION')),
  constraint contracts_state_ck check (state in ('PROPOSED', 'APPROVED')),
  constraint contracts_billed_at_ck check (billed_at in ('POSTING', 'ACTIVATION')),
  constraint contracts_default_outcome_ck check (default_outcome in ('ACTIVATE', 'CANCEL')),
  constraint contracts_dates_ck
    check (effective_until_us is null or effective_until_us > effective_from_us),
  constraint contracts_amounts_ck
    check (rate_micros >= 0 and fee_micros_per_point >= 0 and activation_days >= 0
           and lot_life_days >= 0 and tax_ppm between 0 and 1000000
           and fee_ppm between 0 and 1000000 and fee_tax_ppm between 0 and 1000000)
);
alter table partner.contracts add constraint contracts_partner_fk
  foreign key (partner_id) references partner.partners (partner_id);

-- API keys, stored as HMAC-SHA-256.
create table partner.credentials (
  credential_id text collate "C" not null,
  partner_id    int    not null,
  display_name  text   not null,
  key_hash      bytea  not null,
  scopes        text[] not null,
  created_at_us bigint not null,
  expires_at_us bigint,
  revoked_at_us bigint,
  constraint credentials_pk primary key (credential_id)
);
alter table partner.credentials add constraint credentials_partner_fk
  foreign key (partner_id) references partner.partners (partner_id);
create index credentials_partner_idx on partner.credentials (partner_id);
