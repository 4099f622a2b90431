select first_number from settlement.book_days limit 0;
select issued, redeemed from settlement.daily_points limit 0;
select issued_day_us from settlement.lot_positions limit 0;
