-- Which stores a partner's key is for (none for all), and how many calls a second it may make to each
-- server (0 for what the server allows). Without scopes it has all but ADMIN.
alter table partner.credentials
  add column store_codes      text[] not null default '{}',
  add column calls_per_second int    not null default 0,
  add constraint credentials_calls_ck check (calls_per_second >= 0) not valid;
alter table partner.credentials validate constraint credentials_calls_ck;

-- Apart from the credentials, whose rows are read anew whenever one changes. Every service writes it.
create table partner.credential_uses (
  credential_id   text collate "C" not null,
  last_used_at_us bigint not null,
  constraint credential_uses_pk primary key (credential_id)
);
