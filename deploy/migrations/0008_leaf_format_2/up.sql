-- Leaves of format 2 digest two things more of a record: the terms of the hold that it opened, and the
-- key besides its request id that it claimed. The key is kept in the record, so that a claim can be
-- proved from it. Records of format 1, from before the first release, cannot be verified any more.
alter table ledger.journal add column natural_key uuid;
update ledger.books set format_version = 2;
