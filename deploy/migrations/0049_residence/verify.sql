select residences, residence_grace_days from member.points_policies limit 0;
select spared_from_us, spared_until_us from ledger.accounts limit 0;
select forfeited from ledger.lots limit 0;
select book, account_id, number, from_us, noted_at_us, noted_by, sealed_place from member.residences limit 0;
select book, account_id, policy_version, next_change_us, tellings from member.resident_accounts limit 0;
do $$
begin
  assert not exists (select from ledger.books where format_version < 6), 'books are in format 6';
end $$;
