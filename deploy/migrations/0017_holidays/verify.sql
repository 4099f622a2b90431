select programme_id, day, display_name from ledger.holidays limit 0;
