-- oldest program: 39
-- run: one by one
-- Returns without a receipt that wait for a second person: the list of approvals asks for them.
drop index concurrently if exists accrual.parked_items_proposed_idx;
create index concurrently parked_items_proposed_idx on accrual.parked_items (partner_id, request_id) where proposed_by <> '' and approved_by = '' and resolved_at_us is null;
