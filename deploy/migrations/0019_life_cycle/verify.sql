select sanctions_result, last_issue_us, final_settlement_us from partner.partners limit 0;
select sha256 from partner.documents limit 0;
select address, region, any_terminal from partner.stores limit 0;
select notice_days, proposed_at_us from partner.contracts limit 0;
select hash from operator.audit_log limit 0;
do $$ begin
  if (select count(*) from operator.audit_head) <> 1 then raise exception 'no head of the audit log'; end if;
end $$;
