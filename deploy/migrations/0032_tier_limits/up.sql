-- Which tiers a reward is for, one a line, and how many a member of each may have. Programs that do not know
-- this give no tier to a reward, and offer to all what is for some.
alter table catalogue.rewards
  add column limited_tiers text     not null default '',
  add column tier_limits   bigint[] not null default '{}';
