select credit_limit, reorder_points from partner.exposure_policies limit 0;
select stage, since_us from partner.exposure_states limit 0;
