select 1 from accrual.rule_sets, accrual.parked_items limit 0;
