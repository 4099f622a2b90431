-- Documents that say who bills whom, credit notes of what settlements take back, and where the statements
-- of a settlement end in the money ledger.

-- The last transaction of the money ledger that its statements show; 0 before the approval.
alter table settlement.settlements add column money_number bigint not null default 0;
update settlement.settlements s
   set money_number = coalesce(
         (select max(t.number)
            from settlement.money_transactions t
           where t.kind = 'SETTLEMENT'
             and t.settlement_id = s.settlement_id),
         (select max(t.number)
            from settlement.money_transactions t
           where t.posted_at_us <= s.approved_at_us
             and t.number < coalesce((select min(later.number)
                                        from settlement.money_transactions later
                                       where later.kind = 'SETTLEMENT'
                                         and later.settlement_id > s.settlement_id),
                                     9223372036854775807)),
         0)
 where s.state <> 'COMPUTED';

-- Find entries of a partner's account that concern somebody else, as a default does who bears the loss.
create index money_entries_credit_other_idx on settlement.money_entries (credit_partner)
  where credit_partner is distinct from partner_id;
create index money_entries_debit_other_idx on settlement.money_entries (debit_partner)
  where debit_partner is distinct from partner_id;

-- What was billed by all settlements up to this one, and the tax on it, rounded once.
alter table settlement.lines
  add column cumulative_amount bigint not null default 0,
  add column cumulative_tax    bigint not null default 0;
update settlement.lines l
   set cumulative_amount = c.amount, cumulative_tax = c.tax
  from (select settlement_id, line,
               sum(amount) over so_far as amount, sum(tax) over so_far as tax
          from settlement.lines
        window so_far as (partition by contract_id, leg order by settlement_id)) c
 where c.settlement_id = l.settlement_id
   and c.line = l.line;
-- Finds what billed a contract version and leg last.
create index lines_contract_idx on settlement.lines (contract_id, leg, settlement_id);

-- Lines that give back what was billed stand on credit notes, one for each document that they credit. Its
-- amounts are what is credited.
alter table settlement.invoices
  add column credited_invoice text,
  drop constraint invoices_partner_uq,
  drop constraint invoices_kind_ck,
  add constraint invoices_kind_ck check (kind in ('INVOICE', 'SELF_BILLED', 'CREDIT_NOTE')),
  add constraint invoices_credited_ck
    check (case kind when 'CREDIT_NOTE' then net >= 0 and tax >= 0 else credited_invoice is null end);
alter table settlement.invoices add constraint invoices_credited_fk
  foreign key (credited_invoice) references settlement.invoices (invoice_number);
create unique index invoices_partner_uq
  on settlement.invoices (settlement_id, partner_id, kind, coalesce(credited_invoice, ''))
  where kind <> 'CREDIT_NOTE' or credited_invoice is not null;

-- The parties of an invoice or credit note as they were when it was issued, and when what is left of its
-- settlement was due: null where nothing was.
create table settlement.document_parties (
  document_number               text not null,
  partner_name                  text not null,
  partner_registration_number   text not null,
  partner_tax_id                text not null,
  -- The operator-partner; empty in a programme that has none.
  operator_slug                 text not null,
  operator_name                 text not null,
  operator_registration_number  text not null,
  operator_tax_id               text not null,
  due_at_us                     bigint,
  constraint document_parties_pk primary key (document_number)
);
insert into settlement.document_parties
select d.number, coalesce(nullif(p.legal_name, ''), p.display_name), p.registration_number, p.tax_id,
       coalesce(h.slug, ''), coalesce(nullif(h.legal_name, ''), h.display_name, ''),
       coalesce(h.registration_number, ''), coalesce(h.tax_id, ''), o.due_at_us
  from (select invoice_number as number, partner_id, settlement_id
          from settlement.invoices
         union all
        select n.credit_note_number, a.partner_id, null
          from settlement.credit_notes n
          join settlement.adjustments a using (adjustment_id)) d
  join partner.partners p using (partner_id)
  left join partner.partners h on h.programme_operator
  left join settlement.obligations o
    on o.settlement_id = d.settlement_id and o.partner_id = d.partner_id;

-- A booked payment of nothing is something else than one that is announced only.
alter table settlement.bank_entries
  drop constraint bank_entries_outcome_ck,
  add constraint bank_entries_outcome_ck
    check (outcome in ('PENDING', 'EXACT', 'PARTIAL', 'OVER', 'ALREADY_PAID', 'RETURNED',
                       'WRONG_REFERENCE', 'UNKNOWN', 'OTHER_ACCOUNT', 'OTHER_CURRENCY', 'NOT_BOOKED',
                       'DUPLICATE', 'ACCEPTED', 'REJECTED', 'REFUNDED', 'RECOVERED', 'SUPERSEDED',
                       'NO_AMOUNT'));
