select moved, origin_account, origin_lot from ledger.lots limit 0;
select book, account_id, into_account from ledger.forwards limit 0;
