select number, line, partner_id from settlement.money_entries limit 0;
select root from settlement.money_transactions limit 0;
do $$
begin
  if exists (select from settlement.money_heads h
              where h.last_number <> (select count(*) from settlement.money_transactions)) then
    raise exception 'money transactions are not what the head says';
  end if;
end
$$;
