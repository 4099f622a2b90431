-- What members and staff do with points, and by which policy.

-- Each change of the policy is a version; the highest is in force. The terms are those of the API.
create table member.points_policies (
  programme_id int    not null,
  version      bigint not null,
  set_at_us    bigint not null,
  set_by       text   not null,
  terms        bytea  not null,
  constraint points_policies_pk primary key (programme_id, version)
);

-- Points that a member gave to another. Named by the record in the giver's book; the lots that the other
-- one got are named by `to_number` in theirs.
create table member.transfers (
  book         int     not null,
  number       bigint  not null,
  from_account bigint  not null,
  to_account   bigint  not null,
  to_number    bigint  not null,
  points       bigint  not null,
  fee_points   bigint  not null,
  posted_at_us bigint  not null,
  reversed     boolean not null default false,
  constraint transfers_pk primary key (book, number)
);
create index transfers_from_idx on member.transfers (from_account, posted_at_us);
create index transfers_to_idx on member.transfers (to_account, posted_at_us);

-- Accounts that were merged, for people; the ledger has where their points are.
create table member.merges (
  book         int    not null,
  number       bigint not null,
  from_account bigint not null,
  into_account bigint not null,
  merged_at_us bigint not null,
  merged_by    text   not null,
  note         text   not null,
  constraint merges_pk primary key (book, number)
);

alter table ledger.lots validate constraint lots_parts_ck;
