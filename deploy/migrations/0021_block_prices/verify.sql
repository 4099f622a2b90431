select contract_id from partner.point_blocks limit 0;
select point_blocks from settlement.nets limit 0;
