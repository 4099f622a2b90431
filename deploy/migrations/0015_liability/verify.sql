select points from settlement.lot_positions limit 0;
select last_number from settlement.lot_progress limit 0;
select reserve_ppm, breakage_ppm, fee_per_window, minimum_payout from partner.contracts limit 0;
select reserve, breakage, carried_in, carried_out from settlement.nets limit 0;
