-- A proposed version of the rules may be rejected.
alter table accrual.rule_sets drop constraint rule_sets_state_ck;
alter table accrual.rule_sets add constraint rule_sets_state_ck check (state in ('PROPOSED', 'APPROVED', 'REJECTED'));
