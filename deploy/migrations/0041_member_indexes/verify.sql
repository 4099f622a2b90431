do $$
begin
  if (select count(*) from pg_index
       where indexrelid in (to_regclass('member.bonuses_other_idx'), to_regclass('member.merges_into_idx'),
                            to_regclass('member.notices_due_idx'))
         and indisvalid) <> 3 then
    raise exception 'an index is missing, or invalid';
  end if;
end $$;
