-- How much a partner may owe, in minor units, and from which shares of it on, in millionths, it is degraded.
create table partner.exposure_policies (
  partner_id          int    not null,
  credit_limit        bigint not null,
  collateral          bigint not null,
  warn_ppm            int    not null,
  no_issuance_ppm     int    not null,
  redemption_only_ppm int    not null,
  -- Below so many points left of its blocks it buys so many more; 0 for never.
  reorder_below       bigint not null,
  reorder_points      bigint not null,
  constraint exposure_policies_pk primary key (partner_id),
  constraint exposure_policies_amounts_ck
    check (credit_limit >= 0 and collateral >= 0 and reorder_below >= 0 and reorder_points >= 0),
  constraint exposure_policies_stages_ck
    check (0 < warn_ppm and warn_ppm <= no_issuance_ppm and no_issuance_ppm <= redemption_only_ppm)
);
alter table partner.exposure_policies add constraint exposure_policies_partner_fk
  foreign key (partner_id) references partner.partners (partner_id);

-- The stage that a partner is in; NORMAL for those without a row. What changes it raises the
-- configuration's version.
create table partner.exposure_states (
  partner_id int    not null,
  stage      text   not null,
  since_us   bigint not null,
  constraint exposure_states_pk primary key (partner_id),
  constraint exposure_states_stage_ck
    check (stage in ('NORMAL', 'WARN', 'NO_ISSUANCE', 'REDEMPTION_ONLY'))
);
alter table partner.exposure_states add constraint exposure_states_partner_fk
  foreign key (partner_id) references partner.partners (partner_id);
