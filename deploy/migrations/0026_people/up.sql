-- People: keys that can be destroyed, others who share an account, consents, retention, and leaving.
alter table member.members
  -- Under the keys of which epoch the member's key is sealed, and the indexes made.
  add column key_epoch     int not null default 0,
  add column erased_at_us  bigint,
  -- The record of the erasure.
  add column erased_number bigint;

-- The epoch in which new keys are sealed is the last one. Writers share an advisory lock while they read
-- it and write; whoever begins an epoch takes it alone.
create table member.key_epochs (
  epoch       int    not null,
  began_at_us bigint not null,
  constraint key_epochs_pk primary key (epoch)
);
insert into member.key_epochs (epoch, began_at_us) values (0, 0);

-- Who uses an account besides the member. Sealed under the member's key.
create table member.people (
  book           int    not null,
  account_id     bigint not null,
  person_number  int    not null,
  -- Which of them a repeat gets.
  request_id     uuid   not null,
  fingerprint    bytea  not null,
  sealed_profile bytea  not null,
  phone_index    bytea,
  email_index    bytea,
  added_at_us    bigint not null,
  constraint people_pk primary key (book, account_id, person_number)
);
create index people_phone_idx on member.people (phone_index) where phone_index is not null;
create index people_email_idx on member.people (email_index) where email_index is not null;

-- What members said, one row for each time; the last number is what is so.
create table member.consents (
  book          int      not null,
  account_id    bigint   not null,
  partner_id    int      not null,
  purpose       smallint not null,
  channel       smallint not null,
  number        int      not null,
  granted       boolean  not null,
  changed_at_us bigint   not null,
  changed_by    text     not null,
  source        text     not null,
  constraint consents_pk primary key (book, account_id, partner_id, purpose, channel, number)
);

create table member.retention_locks (
  lock_id      bigint generated always as identity,
  book         int    not null,
  account_id   bigint not null,
  request_id   uuid   not null,
  reason       text   not null,
  until_us     bigint not null,
  locked_at_us bigint not null,
  locked_by    text   not null,
  lifted_at_us bigint,
  constraint retention_locks_pk primary key (lock_id),
  constraint retention_locks_request_uq unique (request_id)
);
create index retention_locks_account_idx on member.retention_locks (book, account_id);
