do $$
begin
  assert exists (select from pg_constraint where conname = 'rule_sets_state_ck'
                    and pg_get_constraintdef(oid) like '%REJECTED%'), 'rule sets may be rejected';
end
$$;
