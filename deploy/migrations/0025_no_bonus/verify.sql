select no_bonus_ppm from partner.exposure_policies limit 0;
