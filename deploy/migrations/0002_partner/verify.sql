select 1 from partner.partners, partner.stores, partner.terminals, partner.contracts, partner.credentials
 limit 0;
