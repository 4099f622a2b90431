-- Bonuses that a person gets once.
-- Each change of the policy is a version; the highest is in force.
create table member.bonus_policies (
  programme_id    int    not null,
  version         bigint not null,
  set_at_us       bigint not null,
  set_by          text   not null,
  payer_id        int    not null,
  birthday_points bigint not null,
  referrer_points bigint not null,
  referred_points bigint not null,
  referral_days   int    not null,
  constraint bonus_policies_pk primary key (programme_id, version)
);

-- Who got what, by the record that gave it. After a merge it stands with who goes on.
create table member.bonuses (
  record_book   int      not null,
  number        bigint   not null,
  -- As services/member/domain/bonus.h has them.
  kind          smallint not null,
  book          int      not null,
  account_id    bigint   not null,
  points        bigint   not null,
  posted_at_us  bigint   not null,
  -- Of a referral, the other one.
  other_account bigint,
  -- Whether the person could be told from others when it was given.
  identified    boolean  not null,
  constraint bonuses_pk primary key (record_book, number, kind)
);
create index bonuses_account_idx on member.bonuses (book, account_id);

-- That somebody with a phone number or an address got a bonus of a kind, and when last. It outlives the
-- account and its erasure, so it has a keyed digest, and nothing that leads to an account.
create table member.person_marks (
  mark          bytea    not null,
  kind          smallint not null,
  granted_at_us bigint   not null,
  constraint person_marks_pk primary key (mark, kind)
);
