select number, posted_at_us from member.adjustments limit 0;
select expiry_kind, expiry_months, expiry_month, expiry_day from member.points_policies limit 0;
