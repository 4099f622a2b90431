select ends_at_us, when_ended, reserve from partner.point_blocks limit 0;
select points, credited from partner.point_block_endings limit 0;
select net_debit_cap, reorder_days, reorder_when_ended from partner.exposure_policies limit 0;
select reserve_begun from partner.exposure_states limit 0;
select certificate_sha256 from partner.credentials limit 0;
