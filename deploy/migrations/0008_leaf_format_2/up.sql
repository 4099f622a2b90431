-- Leaves of format 2 digest two things more of a record: the terms of the hold that it opened, and the
-- key besides its request id that it claimed. The key is kept in the record, so that a claim can be
-- proved from it.
alter table ledger.journal add column natural_key uuid;

-- The leaves of a book are all of one format.
do $$
begin
  assert not exists (select from ledger.journal), 'the journal has records of leaf format 1; start a new database';
end
$$;
update ledger.books set format_version = 2;
