create schema operator;

create table operator.operators (
  operator_id    text   not null,
  display_name   text   not null,
  roles          text[] not null,
  token_hash     bytea  not null,
  created_at_us  bigint not null,
  disabled_at_us bigint,
  constraint operators_pk primary key (operator_id)
);
