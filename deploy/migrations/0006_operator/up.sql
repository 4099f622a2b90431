-- Operator ids compare by their bytes, so that the order of a list does not depend on the locale.
create schema operator;

create table operator.operators (
  operator_id    text collate "C" not null,
  display_name   text   not null,
  roles          text[] not null,
  token_hash     bytea  not null,
  created_at_us  bigint not null,
  disabled_at_us bigint,
  constraint operators_pk primary key (operator_id)
);
