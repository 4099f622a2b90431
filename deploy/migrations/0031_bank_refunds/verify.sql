select original_message_id from settlement.bank_files limit 0;
select file_number from settlement.obligations limit 0;
select against_entry_id from settlement.allocations limit 0;
