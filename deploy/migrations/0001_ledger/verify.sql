do $$
begin
  assert (select count(*) = 2 from pg_partitioned_table p join pg_class c on c.oid = p.partrelid
           where c.oid in ('ledger.journal'::regclass, 'ledger.entries'::regclass)),
    'journal and entries are partitioned';
end
$$;
