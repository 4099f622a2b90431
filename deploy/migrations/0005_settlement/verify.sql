select 1 from settlement.settlements, settlement.windows, settlement.lines, settlement.nets,
       settlement.obligations, settlement.invoices, settlement.invoice_lines, settlement.money_entries,
       settlement.payment_files, settlement.number_ranges
 limit 0;
