select minimum_points, step_points, maximum_share_per_mille, excluded_categories, excluded_skus, points_use
  from partner.contracts limit 0;
select restricted_to, restored_until_us from ledger.lots limit 0;
select reviewed from ledger.holds limit 0;
select restored_until_us from ledger.journal limit 0;
select number, review_seconds from redemption.policies limit 0;
select order_key, first_held_us from redemption.orders limit 0;
select pin_hash, locked_at_us, code_hash from redemption.members limit 0;
select device_key from redemption.devices limit 0;
select captures, decided_at_us from redemption.reviews limit 0;
