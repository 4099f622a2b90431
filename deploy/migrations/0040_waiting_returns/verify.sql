select 'accrual.parked_items_proposed_idx'::regclass;
