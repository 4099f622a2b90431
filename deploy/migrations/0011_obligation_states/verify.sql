select due_at_us, paid, written_off, loss_owner from settlement.obligations limit 0;
select digest from settlement.settlements limit 0;
select payment_days, payout, reserve, revision from settlement.policies limit 0;
