-- oldest program: 40
-- run: one by one

-- Merges look for the referrals of an account, erasures for the accounts that were merged into one.
drop index concurrently if exists member.bonuses_other_idx;
create index concurrently bonuses_other_idx on member.bonuses (other_account) where other_account is not null;
drop index concurrently if exists member.merges_into_idx;
create index concurrently merges_into_idx on member.merges (into_account);

-- The outbox, the soonest expiry first, from now on.
drop index concurrently if exists member.notices_due_idx;
create index concurrently notices_due_idx on member.notices (expires_at_us, notice_id) where sent_at_us is null;
