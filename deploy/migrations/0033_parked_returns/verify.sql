select proposed_purchase, proposed_by, approved_by from accrual.parked_items limit 0;
