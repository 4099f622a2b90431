select store_codes, calls_per_second from partner.credentials limit 0;
select credential_id, last_used_at_us from partner.credential_uses limit 0;
