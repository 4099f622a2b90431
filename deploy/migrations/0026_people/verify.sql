select key_epoch, erased_at_us, erased_number from member.members limit 0;
select sealed_profile, phone_index, email_index from member.people limit 0;
select granted, number from member.consents limit 0;
select until_us, lifted_at_us from member.retention_locks limit 0;
do $$ begin
  if not exists (select from member.key_epochs) then raise exception 'no epoch of member keys'; end if;
end $$;
