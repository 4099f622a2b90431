select tier, from_us, reason from member.tiers limit 0;
select segment, from_us, until_us from member.segments limit 0;
select sealed_birthday from member.members limit 0;
