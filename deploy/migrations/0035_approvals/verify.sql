select approval_id, change_hash, state, used_at_us from operator.approvals limit 0;
