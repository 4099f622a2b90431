select late_spend_seconds from redemption.policies limit 0;
