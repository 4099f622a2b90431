-- Windows that only end on demand, and days on which none begins or ends by its cycle.

alter table ledger.programmes
  drop constraint programmes_cycle_ck,
  add constraint programmes_cycle_ck
    check (cycle in ('DAILY', 'WEEKLY', 'MONTHLY', 'ON_DEMAND')) not valid;
alter table ledger.programmes validate constraint programmes_cycle_ck;

-- Local dates. A boundary of the cycle, or a due date, that falls on one moves to the next day that is none.
-- Those that have begun never change, because windows follow from them.
create table ledger.holidays (
  programme_id int  not null,
  day          date not null,
  display_name text not null default '',
  constraint holidays_pk primary key (programme_id, day)
);
