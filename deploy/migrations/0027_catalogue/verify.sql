select slug, kind, partner_ids, revision from catalogue.rewards limit 0;
select version, honoured_until_us from catalogue.reward_prices limit 0;
select fingerprint from catalogue.reward_changes limit 0;
select state, confirm_by_us, reference from catalogue.orders limit 0;
select refunded, used_amount, used_points from catalogue.vouchers limit 0;
select code_hash from catalogue.voucher_codes limit 0;
select contract_id, refunded_points from catalogue.voucher_uses limit 0;
