select natural_key from ledger.journal limit 0;
do $$
begin
  assert not exists (select from ledger.books where format_version < 2), 'books are in format 2';
end
$$;
