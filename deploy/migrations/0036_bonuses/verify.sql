select payer_id, referral_days from member.bonus_policies limit 0;
select kind, identified, other_account from member.bonuses limit 0;
select granted_at_us from member.person_marks limit 0;
