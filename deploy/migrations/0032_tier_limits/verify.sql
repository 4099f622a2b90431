select limited_tiers, tier_limits from catalogue.rewards limit 0;
