select money_number from settlement.settlements limit 0;
select cumulative_amount, cumulative_tax from settlement.lines limit 0;
select credited_invoice from settlement.invoices limit 0;
select document_number, partner_name, operator_name, due_at_us from settlement.document_parties limit 0;
