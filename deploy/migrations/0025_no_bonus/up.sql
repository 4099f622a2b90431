-- A stage between WARN and NO_ISSUANCE: purchases earn by base rates only.
alter table partner.exposure_policies
  add column no_bonus_ppm int not null default 900000,
  drop constraint exposure_policies_stages_ck;
-- Who had moved the other stages keeps their order.
update partner.exposure_policies
   set no_bonus_ppm = least(greatest(no_bonus_ppm, warn_ppm), no_issuance_ppm);
alter table partner.exposure_policies
  add constraint exposure_policies_stages_ck
    check (0 < warn_ppm and warn_ppm <= no_bonus_ppm and no_bonus_ppm <= no_issuance_ppm
           and no_issuance_ppm <= redemption_only_ppm);

alter table partner.exposure_states
  drop constraint exposure_states_stage_ck,
  add constraint exposure_states_stage_ck
    check (stage in ('NORMAL', 'WARN', 'NO_BONUS', 'NO_ISSUANCE', 'REDEMPTION_ONLY'));
