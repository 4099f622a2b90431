select 1 from settlement.disputes, settlement.adjustments, settlement.credit_notes,
       settlement.dispute_policies
 limit 0;
select disputed from settlement.obligations limit 0;
