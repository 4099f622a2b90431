-- Which payment file instructed a payout last, so that a late report about an earlier one changes nothing; and
-- payments in suspense that are of each other.
alter table settlement.bank_files
  -- Of a status report: the message id of the payment file that it is about.
  add column original_message_id text not null default '';

alter table settlement.obligations
  -- The last of the settlement's payment files that has it.
  add column file_number int;
update settlement.obligations o
   set file_number = (select max(f.number)
                        from settlement.payment_files f
                       where f.settlement_id = o.settlement_id
                         and position(convert_to('>' || o.end_to_end_id || '<', 'UTF8') in f.content) > 0)
 where o.partner_is_paid;
-- What partners quote, which their invoices state.
update settlement.obligations
   set end_to_end_id = 'GLD-' || settlement_id || '-' || partner_id
 where end_to_end_id = '';

alter table settlement.allocations
  alter column settlement_id drop not null,
  alter column partner_id drop not null,
  -- A payment in suspense that went the other way, in the place of an obligation.
  add column against_entry_id bigint,
  add constraint allocations_for_ck
    check ((settlement_id is null) = (partner_id is null)
           and (settlement_id is null) = (against_entry_id is not null));
alter table settlement.allocations add constraint allocations_against_fk
  foreign key (against_entry_id) references settlement.bank_entries (entry_id);

alter table settlement.bank_entries
  drop constraint bank_entries_outcome_ck,
  add constraint bank_entries_outcome_ck
    check (outcome in ('PENDING', 'EXACT', 'PARTIAL', 'OVER', 'ALREADY_PAID', 'RETURNED',
                       'WRONG_REFERENCE', 'UNKNOWN', 'OTHER_ACCOUNT', 'OTHER_CURRENCY', 'NOT_BOOKED',
                       'DUPLICATE', 'ACCEPTED', 'REJECTED', 'REFUNDED', 'RECOVERED', 'SUPERSEDED'));
