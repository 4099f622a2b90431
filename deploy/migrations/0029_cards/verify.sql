select next_serial, claim_days from member.card_ranges limit 0;
select store_id, card_count from member.card_batches limit 0;
select state from member.stock_cards limit 0;
select claim_by_us from member.unclaimed_accounts limit 0;
select event, other_card from member.card_events limit 0;
