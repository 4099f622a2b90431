-- One database role for each service, each with what it writes and no more: "one writer for each table" is
-- then kept by PostgreSQL. Run by `guilder migrate roles`, and again by every later `guilder migrate up`; may be
-- repeated at any time, while the services run.
--
-- The roles cannot log in. Whoever runs a service gives it a login role of its own that is a member, as in
--   create role clearing_host login in role guilder_settlement;
-- or, on one machine, a connection with options='-c role=guilder_settlement'.
do $roles$
declare
  roles constant text[] := array['guilder_partner', 'guilder_accrual', 'guilder_member',
                                 'guilder_redemption', 'guilder_settlement', 'guilder_operator',
                                 'guilder_dev_lanes'];
  of_role text;
  of_schema text;
  granted record;
begin
  -- Roles are of the whole cluster: two databases may be prepared at once.
  perform pg_advisory_xact_lock(hashtext('guilder.roles'));
  foreach of_role in array roles loop
    if not exists (select from pg_roles where rolname = of_role) then
      execute format('create role %I nologin', of_role);
    end if;
  end loop;

  -- Everybody reads: a service that needs another's facts reads its table.
  foreach of_schema in array array['ledger', 'partner', 'accrual', 'member', 'redemption', 'catalogue',
                                   'settlement', 'operator', 'public'] loop
    foreach of_role in array roles loop
      execute format('grant usage on schema %I to %I', of_schema, of_role);
      execute format('revoke all on all tables in schema %I from %I', of_schema, of_role);
      execute format('grant select on all tables in schema %I to %I', of_schema, of_role);
    end loop;
  end loop;
  for granted in
    select v.roles, v.privileges, v.tables
      from (values
        -- What a service owns.
        ('guilder_partner', 'insert, update', 'schema partner'),
        ('guilder_accrual', 'insert, update', 'schema accrual'),
        ('guilder_member', 'insert, update, delete', 'schema member'),
        ('guilder_redemption', 'insert, update', 'schema redemption'),
        ('guilder_redemption', 'insert, update', 'schema catalogue'),
        ('guilder_settlement', 'insert, update, delete', 'schema settlement'),
        ('guilder_operator', 'insert, update', 'operator.operators'),
        ('guilder_operator', 'insert', 'operator.approvals'),
        -- Lanes: they add to the journal and change nothing of it.
        ('posting', 'insert', 'ledger.journal'),
        ('posting', 'insert', 'ledger.entries'),
        ('posting', 'insert', 'ledger.claims'),
        ('posting', 'insert, update', 'ledger.control_accounts'),
        ('posting', 'insert', 'ledger.forwards'),
        ('posting', 'insert', 'ledger.seals'),
        ('posting', 'insert, update', 'ledger.accounts'),
        ('posting', 'insert, update', 'ledger.lots'),
        ('posting', 'insert, update', 'ledger.holds'),
        ('posting', 'insert, update', 'ledger.positions'),
        ('posting', 'insert, update', 'ledger.refusals'),
        ('posting', 'insert, update', 'ledger.allowances'),
        ('posting', 'update', 'ledger.limits'),
        ('posting', 'update', 'ledger.books'),
        -- Who grants limits, and takes back what is not spent.
        ('guilder_partner', 'insert, update, delete', 'ledger.limits'),
        ('guilder_partner', 'insert, update, delete', 'ledger.allowances'),
        -- A limit begins and ends while no book is written.
        ('guilder_partner', 'update', 'ledger.books'),
        ('guilder_accrual', 'insert, update', 'ledger.limits'),
        ('guilder_redemption', 'insert, update', 'ledger.limits'),
        -- A card that is first shown by a purchase gets its account there.
        ('guilder_accrual', 'insert', 'member.cards'),
        ('guilder_accrual', 'insert', 'member.unclaimed_accounts'),
        ('guilder_accrual', 'insert', 'member.card_events'),
        ('guilder_accrual', 'update', 'member.stock_cards'),
        -- Who is erased leaves nothing of a PIN and of devices.
        ('guilder_member', 'update', 'redemption.members'),
        ('guilder_member', 'delete', 'redemption.devices'),
        -- Sealing, and the clock.
        ('guilder_settlement', 'insert', 'ledger.seals'),
        ('guilder_settlement', 'insert', 'ledger.boundaries'),
        ('guilder_settlement', 'insert, delete', 'ledger.holidays'),
        ('guilder_settlement', 'update', 'ledger.books'),
        ('guilder_operator', 'update', 'ledger.books'),
        -- Whoever changes what lanes must know of raises its version; whoever acts for people says so.
        ('all', 'update', 'ledger.configuration'),
        ('all', 'insert', 'operator.audit_log'),
        ('all', 'update', 'operator.audit_head'),
        ('all', 'update', 'operator.approvals'),
        ('all', 'insert, update', 'partner.credential_uses')
      ) as v (roles, privileges, tables)
  loop
    foreach of_role in array case granted.roles
                               when 'all' then roles
                               when 'posting' then array['guilder_accrual', 'guilder_member',
                                                         'guilder_redemption']
                               else array[granted.roles] end loop
      if granted.tables like 'schema %' then
        execute format('grant %s on all tables in schema %I to %I', granted.privileges,
                       substr(granted.tables, 8), of_role);
        execute format('grant usage on all sequences in schema %I to %I', substr(granted.tables, 8), of_role);
      else
        execute format('grant %s on %s to %I', granted.privileges, granted.tables, of_role);
      end if;
    end loop;
  end loop;

  -- Partitions are made by their tables' owner.
  alter function ledger.ensure_partitions(bigint, bigint) security definer;
  alter function ledger.ensure_partitions(bigint, bigint) set search_path = pg_catalog, ledger, pg_temp;
  revoke execute on function ledger.ensure_partitions(bigint, bigint) from public;
  grant execute on function ledger.ensure_partitions(bigint, bigint) to guilder_operator;
  -- `guilder dev` has the lanes of three services in one process.
  grant guilder_accrual, guilder_member, guilder_redemption to guilder_dev_lanes;
end
$roles$;
