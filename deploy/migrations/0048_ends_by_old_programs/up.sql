-- oldest program: 47
-- A program from before credentials had stated ends issues keys until it is restarted, and does not state them. The
-- end that it writes is what was stated. Keys of between are mended: those that were not rotated end when it was
-- stated, the others with their overlap.
create function partner.state_end() returns trigger language plpgsql as $$
begin
  new.stated_end_us = new.expires_at_us;
  return new;
end
$$;
create trigger credentials_state_end before insert on partner.credentials
  for each row when (new.stated_end_us is null and new.certificate_sha256 is null
                     and new.expires_at_us is not null)
  execute function partner.state_end();
update partner.credentials c
   set stated_end_us = c.expires_at_us
  from partner.partners p
 where p.partner_id = c.partner_id
   and c.stated_end_us is null
   and c.certificate_sha256 is null
   and c.expires_at_us is not null
   and not exists (select from operator.audit_log a
                    where a.action = 'PartnerService/RotateCredential'
                      and a.resource = 'partners/' || p.slug || '/credentials/' || c.credential_id);
