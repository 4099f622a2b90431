select 1 from settlement.reconciliations, settlement.breaks limit 0;
