select points_use_partners from partner.contracts limit 0;
select restricted_partners from ledger.lots limit 0;
