select kind, request, sale_claim from accrual.parked_items where false;
