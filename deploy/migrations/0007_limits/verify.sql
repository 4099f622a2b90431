do $$
begin
  assert (select count(*) = 0 from partner.contracts where funding <> 'POSTPAID'),
    'contracts from before are postpaid';
  assert (select count(*) = 0 from ledger.allowances), 'there are no allowances yet';
end
$$;
