-- Points that may be spent at several partners, by contract or by rule. A program that does not know them would
-- give points that may be spent anywhere.
alter table partner.contracts
  -- Slugs of the partners; points_use 3 is "at these".
  add column points_use_partners text[] not null default '{}';

alter table ledger.lots
  -- The ids of the partners, ascending, where restricted_to is -2.
  add column restricted_partners int[];
