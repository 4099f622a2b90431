-- oldest program: 32
-- A return that names no receipt is posted by two people: who named its sale, and who let it be posted.
alter table accrual.parked_items
  add column proposed_purchase text not null default '',
  add column proposed_by       text not null default '',
  add column approved_by       text not null default '';
