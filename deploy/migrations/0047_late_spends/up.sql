-- oldest program: 46
-- How late a till may tell of a payment, and still spend points that have expired since.
alter table redemption.policies add column late_spend_seconds bigint not null default 0;
