do $$
begin
  assert exists (select from pg_trigger where tgname = 'credentials_state_end' and tgenabled = 'O'),
         'keys of old programs end when it was stated';
end
$$;
