select terms from member.points_policies limit 0;
select to_number, reversed from member.transfers limit 0;
select merged_by from member.merges limit 0;
