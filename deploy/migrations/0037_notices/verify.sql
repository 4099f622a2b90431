select expires_at_us, sent_at_us from member.notices limit 0;
