select cap_serial, cap_id, scope, period from accrual.caps where false;
select book, account_id, counter_id, points from accrual.counters where false;
select quote_id, book, number from accrual.used_quotes where false;
