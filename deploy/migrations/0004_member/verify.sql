select 1 from member.members, member.cards limit 0;
