-- Blocks of points are billed at the rate of a contract version, and their money is kept as a deposit until
-- the points are given. Blocks of before get the version that was in force, or the next that was to be.
alter table partner.point_blocks add column contract_id int;
update partner.point_blocks b
   set contract_id = (select c.contract_id
                        from partner.contracts c
                       where c.partner_id = b.partner_id
                         and c.kind = 'ISSUANCE'
                         and c.state = 'APPROVED'
                         and c.funding = 'PREPAID_BLOCK'
                         and coalesce(c.effective_until_us, b.bought_at_us + 1) > b.bought_at_us
                       order by c.effective_from_us
                       limit 1);
alter table partner.point_blocks add constraint point_blocks_contract_fk
  foreign key (contract_id) references partner.contracts (contract_id);

alter table settlement.lines
  drop constraint lines_leg_ck,
  add constraint lines_leg_ck
    check (leg in ('ISSUANCE', 'REIMBURSEMENT', 'FEE', 'RESERVE', 'BREAKAGE', 'POINT_BLOCK'));

-- `tax` is what the partner owes: on issuance, point blocks and fee, less that on reimbursement and breakage.
alter table settlement.nets
  add column point_blocks bigint not null default 0,
  drop constraint nets_sum_ck,
  add constraint nets_sum_ck
    check (net = reimbursement + breakage - issuance - point_blocks - reserve - fee - tax);
