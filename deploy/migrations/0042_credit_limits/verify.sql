do $$
begin
  assert not exists (select from ledger.books where format_version < 4), 'books are in format 4';
end
$$;
