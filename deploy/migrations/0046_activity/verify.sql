select expiry_activities, minimum_life_days from member.points_policies limit 0;
select active_until_us from ledger.accounts limit 0;
select lives_by_activity from ledger.lots limit 0;
select active_until_us from ledger.journal limit 0;
do $$
begin
  assert not exists (select from ledger.books where format_version < 5), 'books are in format 5';
end $$;
