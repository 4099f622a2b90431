do $$
begin
  perform stated_end_us from partner.credentials limit 1;
  assert not exists (select from partner.credentials
                      where certificate_sha256 is null and stated_end_us is distinct from expires_at_us),
         'keys end when it was stated';
end
$$;
