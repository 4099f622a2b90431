-- The money ledger: transactions of entries, numbered without gaps, with posted times that never fall,
-- and proved by a Merkle tree as the points are. Nothing in it is ever changed.

-- One row a programme, locked by whoever posts.
create table settlement.money_heads (
  programme_id      int    not null,
  last_number       bigint not null default 0,
  last_posted_at_us bigint not null default 0,
  -- Roots of the perfect subtrees over all leaves, largest first, 32 bytes each.
  frontier          bytea  not null default ''::bytea,
  constraint money_heads_pk primary key (programme_id)
) with (fillfactor = 40);

create table settlement.money_transactions (
  number          bigint not null,
  posted_at_us    bigint not null,
  kind            text   not null,
  currency        text   not null,
  -- The name of what it is posted for: "settlements/12".
  reference       text   not null,
  -- Who posts twice under one key posts once.
  idempotency_key text   not null,
  posted_by       text   not null,
  -- What it settles, where it has to do with a settlement.
  settlement_id   int,
  leaf            bytea  not null,
  -- Of the tree up to this transaction.
  root            bytea  not null,
  constraint money_transactions_pk primary key (number),
  constraint money_transactions_key_uq unique (idempotency_key),
  constraint money_transactions_text_ck
    check (kind || currency || reference || idempotency_key || posted_by !~ '[[:cntrl:]]')
);
create index money_transactions_posted_idx on settlement.money_transactions (posted_at_us);
create index money_transactions_settlement_idx on settlement.money_transactions (settlement_id);
alter table settlement.money_transactions add constraint money_transactions_settlement_fk
  foreign key (settlement_id) references settlement.settlements (settlement_id);

alter table settlement.money_entries rename to settled_entries;
alter table settlement.settled_entries rename constraint money_entries_pk to settled_entries_pk;

-- One row moves an amount from one account to another, so that debits equal credits by form. An account
-- is kept by partner or by programme; that of a tax names its code, as in "TAX:S19".
create table settlement.money_entries (
  number         bigint not null,
  line           int    not null,
  debit_account  text   not null,
  debit_partner  int,
  credit_account text   not null,
  credit_partner int,
  amount         bigint not null,
  -- Whom it concerns, and the contract version that prices it.
  partner_id     int,
  contract_id    int,
  cause          text   not null,
  constraint money_entries_pk primary key (number, line),
  constraint money_entries_amount_ck check (amount > 0),
  constraint money_entries_text_ck
    check (debit_account || credit_account || cause !~ '[[:cntrl:]]')
);
create index money_entries_partner_idx on settlement.money_entries (partner_id, number);

insert into settlement.money_heads (programme_id) select programme_id from ledger.programmes;

-- What was posted at approvals so far, in their order.
do $$
declare
  approved record;
  content  text;
  leaf     bytea;
  node     bytea;
  pairs    bigint;
  subtrees bytea := '';
  root     bytea;
  last     bigint := 0;
  last_at  bigint := 0;
begin
  for approved in
    select s.settlement_id, s.programme_id, s.currency, s.approved_at_us, s.approved_by
      from settlement.settlements s
     where exists (select from settlement.settled_entries e where e.settlement_id = s.settlement_id)
     order by s.settlement_id
  loop
    last_at := greatest(last_at, approved.approved_at_us);
    insert into settlement.money_entries (number, line, debit_account, debit_partner, credit_account,
                                          credit_partner, amount, partner_id, contract_id, cause)
    select last + 1, line, debit_account, debit_partner, credit_account, credit_partner, amount,
           partner_id, contract_id, cause
      from settlement.settled_entries
     where settlement_id = approved.settlement_id;
    select 'money/1' || E'\n' || last + 1 || E'\n' || last_at || E'\nSETTLEMENT\n' || approved.currency
           || E'\nsettlements/' || approved.settlement_id
           || E'\nsettlements/' || approved.settlement_id || '/approval'
           || E'\n' || approved.approved_by || E'\n' || approved.settlement_id
           || string_agg(E'\n' || concat_ws(E'\t', line, debit_account,
                                            coalesce(debit_partner::text, '-'), credit_account,
                                            coalesce(credit_partner::text, '-'), amount,
                                            coalesce(partner_id::text, '-'),
                                            coalesce(contract_id::text, '-'), cause),
                         '' order by line)
      into content
      from settlement.money_entries
     where number = last + 1;
    leaf := sha256('\x00'::bytea || convert_to(content, 'UTF8'));
    -- Of two subtrees of the same size one is made, from the smallest on.
    node := leaf;
    pairs := last;
    while pairs % 2 = 1 loop
      node := sha256('\x01'::bytea || substr(subtrees, length(subtrees) - 31) || node);
      subtrees := substr(subtrees, 1, length(subtrees) - 32);
      pairs := pairs / 2;
    end loop;
    subtrees := subtrees || node;
    root := substr(subtrees, length(subtrees) - 31);
    for i in reverse length(subtrees) / 32 - 2 .. 0 loop
      root := sha256('\x01'::bytea || substr(subtrees, 32 * i + 1, 32) || root);
    end loop;
    last := last + 1;
    insert into settlement.money_transactions (number, posted_at_us, kind, currency, reference,
                                               idempotency_key, posted_by, settlement_id, leaf, root)
    values (last, last_at, 'SETTLEMENT', approved.currency,
            'settlements/' || approved.settlement_id,
            'settlements/' || approved.settlement_id || '/approval', approved.approved_by,
            approved.settlement_id, leaf, root);
  end loop;
  update settlement.money_heads
     set last_number = last, last_posted_at_us = last_at, frontier = subtrees;
end
$$;

alter table settlement.money_entries add constraint money_entries_transaction_fk
  foreign key (number) references settlement.money_transactions (number);
drop table settlement.settled_entries;
