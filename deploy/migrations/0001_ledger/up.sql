-- Points in double entry, kept in books. `book` leads every key, so that the same SQL runs on one
-- PostgreSQL and on Citus. No index key or predicate uses a mutable column of books, accounts, lots,
-- control accounts or positions, so that their updates stay heap-only.
--
-- Instants are microseconds since 1970-01-01T00:00:00Z.

create schema ledger;

create table ledger.programmes (
  programme_id      int      not null,
  slug              text     not null,
  display_name      text     not null,
  currency          text     not null,
  currency_exponent smallint not null,
  time_zone         text     not null,
  mode              text     not null,
  cycle             text     not null,
  -- Points that a new member gets, at the operator-partner's expense.
  welcome_points    bigint   not null default 0,
  -- The first window begins at the boundary at or before this instant.
  started_at_us     bigint   not null,
  constraint programmes_pk primary key (programme_id),
  constraint programmes_mode_ck check (mode in ('LIVE', 'SANDBOX', 'DEVELOPMENT')),
  constraint programmes_cycle_ck check (cycle in ('DAILY', 'WEEKLY', 'MONTHLY')),
  constraint programmes_currency_ck check (currency ~ '^[A-Z]{3}$')
);

-- Incremented by every change of configuration, in the transaction of the change. Lanes compare it in
-- every batch.
create table ledger.configuration (
  programme_id int    not null,
  version      bigint not null,
  constraint configuration_pk primary key (programme_id)
);

-- Ends of windows on demand, besides those that follow from the cycle.
create table ledger.boundaries (
  programme_id int    not null,
  boundary_us  bigint not null,
  constraint boundaries_pk primary key (programme_id, boundary_us)
);

create table ledger.books (
  book              int    not null,
  programme_id      int    not null,
  -- The programme's clock is the database's clock plus this.
  clock_offset_us   bigint not null,
  -- The least writer version that may post.
  format_version    int    not null,
  -- Salts the leaves, so that nobody can guess a record from its neighbour's proof.
  secret            bytea  not null,
  last_number       bigint not null default 0,
  last_posted_at_us bigint not null default 0,
  -- The serial of the account opened last.
  last_serial       bigint not null default 0,
  -- Roots of the perfect subtrees of the Merkle tree over the journal, largest first, 32 bytes each.
  frontier          bytea  not null default ''::bytea,
  constraint books_pk primary key (book),
  constraint books_book_ck check (book between 1 and 65535)
) with (fillfactor = 40);

create table ledger.journal (
  book           int      not null,
  number         bigint   not null,
  posted_at_us   bigint   not null,
  -- The record in the same book that this one acts on.
  refers_to      bigint,
  account_id     bigint   not null,
  partner_id     int      not null,
  config_version int      not null,
  kind           smallint not null,
  request_id     uuid     not null,
  fingerprint    bytea    not null,
  -- What the command said, in the encoding of its service.
  content        bytea    not null,
  -- What was answered, without the journal receipt.
  response       bytea    not null,
  leaf           bytea    not null,
  constraint journal_pk primary key (book, number, posted_at_us)
) partition by range (posted_at_us);

create index journal_account_idx on ledger.journal (book, account_id, number);
create index journal_partner_idx on ledger.journal (partner_id, posted_at_us);
create index journal_refers_to_idx on ledger.journal (book, refers_to) where refers_to is not null;

-- One row moves points from one bucket of an account to another, so that debits equal credits by form.
create table ledger.entries (
  book           int      not null,
  line           smallint not null,
  debit_bucket   smallint not null,
  number         bigint   not null,
  posted_at_us   bigint   not null,
  debit_account  bigint   not null,
  credit_account bigint   not null,
  points         bigint   not null,
  credit_bucket  smallint not null,
  contract_id    int,
  debit_lot      bigint,
  credit_lot     bigint,
  constraint entries_pk primary key (book, number, line, posted_at_us),
  constraint entries_points_ck check (points > 0),
  constraint entries_sides_ck
    check (debit_account <> credit_account or debit_bucket <> credit_bucket
           or debit_lot <> credit_lot)
) partition by range (posted_at_us);

create table ledger.journal_default partition of ledger.journal default;
create table ledger.entries_default partition of ledger.entries default;

-- Makes the monthly partitions (UTC) for all posted times of an interval. Made ahead of time, the default
-- partitions stay empty and attaching costs nothing.
create function ledger.ensure_partitions(from_us bigint, until_us bigint) returns int
language plpgsql as $$
declare
  month_start timestamp := date_trunc('month', to_timestamp(from_us / 1000000.0) at time zone 'UTC');
  suffix text;
  lower_us bigint;
  upper_us bigint;
  parent text;
  made int := 0;
begin
  perform pg_advisory_xact_lock(hashtext('ledger.ensure_partitions'));
  while extract(epoch from month_start) * 1000000 <= until_us loop
    suffix := to_char(month_start, 'YYYY_MM');
    lower_us := extract(epoch from month_start)::bigint * 1000000;
    upper_us := extract(epoch from month_start + interval '1 month')::bigint * 1000000;
    foreach parent in array array['journal', 'entries'] loop
      if to_regclass(format('ledger.%I', parent || '_' || suffix)) is null then
        execute format('create table ledger.%I (like ledger.%I including defaults including constraints)',
                       parent || '_' || suffix, parent);
        execute format('alter table ledger.%I attach partition ledger.%I for values from (%s) to (%s)',
                       parent, parent || '_' || suffix, lower_us, upper_us);
        made := made + 1;
      end if;
    end loop;
    month_start := month_start + interval '1 month';
  end loop;
  return made;
end
$$;

-- A member's account: four buckets that always hold what its lots say.
create table ledger.accounts (
  book           int      not null,
  status         smallint not null default 0,
  account_id     bigint   not null,
  opened_number  bigint   not null,
  pending        bigint   not null default 0,
  available      bigint   not null default 0,
  held           bigint   not null default 0,
  debt           bigint   not null default 0,
  -- Nothing of the account changes by time alone before this instant.
  next_due_at_us bigint   not null,
  -- Every lot before this one is closed.
  first_open_lot bigint   not null default 0,
  constraint accounts_pk primary key (book, account_id),
  constraint accounts_balances_ck
    check (pending >= 0 and available >= 0 and held >= 0 and debt >= 0)
) with (fillfactor = 75);

-- The other side of every movement: issued and redeemed by partner, expired and adjusted by programme.
create table ledger.control_accounts (
  book       int      not null,
  kind       smallint not null,
  account_id bigint   not null,
  partner_id int      not null,
  -- Credits less debits.
  balance    bigint   not null,
  constraint control_accounts_pk primary key (book, account_id)
) with (fillfactor = 40);

-- Points of one origin. issued + debt = remaining + redeemed + reversed + expired.
create table ledger.lots (
  book            int      not null,
  issuer_id       int      not null,
  contract_id     int      not null,
  state           smallint not null,
  on_due          smallint not null,
  account_id      bigint   not null,
  lot_id          bigint   not null,
  issued          bigint   not null,
  activates_at_us bigint   not null,
  expires_at_us   bigint   not null,
  -- Held points included.
  remaining       bigint   not null,
  held            bigint   not null default 0,
  redeemed        bigint   not null default 0,
  reversed        bigint   not null default 0,
  expired         bigint   not null default 0,
  -- Points that were reversed after they had been spent.
  debt            bigint   not null default 0,
  constraint lots_pk primary key (book, account_id, lot_id),
  constraint lots_parts_ck
    check (held >= 0 and held <= remaining and redeemed >= 0 and reversed >= 0 and expired >= 0
           and debt >= 0 and issued + debt = remaining + redeemed + reversed + expired)
) with (fillfactor = 85);

-- Points set aside for a redemption, by lot. Named by the record that made it.
create table ledger.holds (
  book          int      not null,
  state         smallint not null,
  number        bigint   not null,
  account_id    bigint   not null,
  partner_id    int      not null,
  store_id      int      not null,
  contract_id   int      not null,
  authorized    bigint   not null,
  captured      bigint   not null default 0,
  refunded      bigint   not null default 0,
  expires_at_us bigint   not null,
  lot_ids       bigint[] not null,
  lot_held      bigint[] not null,
  lot_captured  bigint[] not null,
  lot_refunded  bigint[] not null,
  constraint holds_pk primary key (book, number),
  constraint holds_points_ck
    check (captured >= 0 and refunded >= 0 and captured <= authorized and refunded <= captured)
) with (fillfactor = 70);

create index holds_account_idx on ledger.holds (book, account_id);

-- Points moved in a window under a contract version, by movement. They follow from the entries.
create table ledger.positions (
  book            int      not null,
  contract_id     int      not null,
  window_start_us bigint   not null,
  movement        smallint not null,
  points          bigint   not null,
  constraint positions_pk primary key (book, window_start_us, contract_id, movement)
) with (fillfactor = 40);

-- What must be unique over all books: request ids and receipts, as 128-bit digests. Points to the record
-- that won.
create table ledger.claims (
  claim_key    uuid   not null,
  number       bigint not null,
  posted_at_us bigint not null,
  book         int    not null,
  constraint claims_pk primary key (claim_key)
);

-- A book's head when a boundary was passed. `last_number` records were before it.
create table ledger.seals (
  book        int    not null,
  boundary_us bigint not null,
  last_number bigint not null,
  root        bytea  not null,
  -- As in books, at that number: a later seal that comes late goes on from here.
  frontier    bytea  not null,
  constraint seals_pk primary key (book, boundary_us)
);

-- A bounded log of refusals for support: the slot follows from the request id, so that a new refusal
-- takes the place of an old one.
create table ledger.refusals (
  book       int      not null,
  slot       smallint not null,
  kind       smallint not null,
  partner_id int      not null,
  account_id bigint   not null,
  at_us      bigint   not null,
  request_id uuid     not null,
  reason     text     not null,
  detail     text     not null,
  constraint refusals_pk primary key (book, slot)
) with (fillfactor = 70);
