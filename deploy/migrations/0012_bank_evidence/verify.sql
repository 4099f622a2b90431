select 1 from settlement.bank_files, settlement.bank_entries, settlement.allocations, settlement.write_offs
 limit 0;
