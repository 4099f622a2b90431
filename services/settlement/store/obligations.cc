#include "services/settlement/store/obligations.h"

#include "libs/base/text.h"
#include "libs/postgres/connection.h"

namespace guilder::settlement {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kInsert{"settlement.insert_obligations", R"sql(
  insert into settlement.obligations (settlement_id, partner_id, partner_is_paid, amount, state,
                                      end_to_end_id, due_at_us)
  select $1, o.partner_id, o.partner_is_paid, o.amount, 'OPEN', o.end_to_end_id, $6
    from unnest($2::int[], $3::bool[], $4::bigint[], $5::text[])
         as o (partner_id, partner_is_paid, amount, end_to_end_id)
)sql"};

#define GUILDER_OBLIGATION_COLUMNS_                                                   \
  "o.settlement_id, o.partner_id, o.partner_is_paid, o.amount, s.currency, o.state, " \
  "o.end_to_end_id, o.paid, o.written_off, o.due_at_us, o.loss_owner, "               \
  "coalesce(o.file_number, 0) "                                                       \
  "from settlement.obligations o join settlement.settlements s using (settlement_id) "

constexpr Statement kList{"settlement.list_obligations",
                          "select " GUILDER_OBLIGATION_COLUMNS_ R"sql(
   where ($1::int is null or o.settlement_id = $1)
     and (o.settlement_id, o.partner_id) > ($2, $3)
   order by o.settlement_id, o.partner_id
   limit $4
)sql"};

constexpr Statement kFind{"settlement.find_obligation", "select " GUILDER_OBLIGATION_COLUMNS_ R"sql(
   where o.settlement_id = $1
     and o.partner_id = $2
)sql"};

constexpr Statement kReadAll{"settlement.read_obligations",
                             "select " GUILDER_OBLIGATION_COLUMNS_ R"sql(
   where o.settlement_id = $1
   order by o.partner_id
)sql"};

#undef GUILDER_OBLIGATION_COLUMNS_

constexpr Statement kUpdate{"settlement.update_obligation", R"sql(
  update settlement.obligations
     set state = $3, paid = $4, written_off = $5, loss_owner = $6
   where settlement_id = $1
     and partner_id = $2
)sql"};

// Which state follows from the obligations: settled when all are closed, instructed when no payout
// waits for a file. A settlement without payouts is never instructed.
constexpr Statement kFollow{"settlement.follow_obligations", R"sql(
  update settlement.settlements s
     set state = o.state
    from (select case when bool_and(state in ('PAID', 'WRITTEN_OFF')) then 'SETTLED'
                      when bool_or(partner_is_paid)
                           and not coalesce(bool_or(partner_is_paid
                                                    and state in ('OPEN', 'OVERDUE')), false)
                           then 'INSTRUCTED'
                      else 'APPROVED' end as state
            from settlement.obligations
           where settlement_id = $1) o
   where s.settlement_id = $1
     and s.state <> 'COMPUTED'
     and s.state <> o.state
)sql"};

constexpr Statement kMarkOverdue{"settlement.mark_overdue", R"sql(
  update settlement.obligations
     set state = 'OVERDUE'
   where state in ('OPEN', 'PARTLY_PAID')
     and amount - paid - written_off > disputed
     and due_at_us <= $1
)sql"};

constexpr Statement kReadAdvanced{"settlement.read_advanced", R"sql(
  select coalesce(sum(greatest(a.paid_out - a.collected, 0)), 0)::bigint
    from (select sum(case when not o.partner_is_paid then 0
                          when o.state = 'INSTRUCTED' then o.amount - o.written_off
                          else o.paid end) as paid_out,
                 sum(case when o.partner_is_paid then 0 else o.paid end) as collected
            from settlement.obligations o
            join settlement.settlements s using (settlement_id)
           where s.currency = $2
             and s.settlement_id <> $1
             and (s.state <> 'SETTLED'
                  or exists (select from settlement.obligations w
                              where w.settlement_id = s.settlement_id
                                and w.written_off > 0
                                and not w.partner_is_paid))
           group by o.settlement_id) a
)sql"};

constexpr Statement kReadLeaversInDebt{"settlement.read_leavers_in_debt", R"sql(
  select distinct o.partner_id
    from settlement.obligations o
    join settlement.settlements s using (settlement_id)
    join partner.partners p using (partner_id)
   where s.currency = $1
     and p.final_settlement_us is not null
     and not o.partner_is_paid
     and o.state not in ('PAID', 'WRITTEN_OFF')
)sql"};

constexpr Statement kFindLastFile{"settlement.find_last_payment_file", R"sql(
  select number, file_name, content, payments, total
    from settlement.payment_files
   where settlement_id = $1
   order by number desc
   limit 1
)sql"};

constexpr Statement kFindFile{"settlement.find_payment_file", R"sql(
  select number, file_name, content, payments, total
    from settlement.payment_files
   where settlement_id = $1
     and number = $2
)sql"};

constexpr Statement kInsertFile{"settlement.insert_payment_file", R"sql(
  insert into settlement.payment_files (settlement_id, number, file_name, content, payments, total)
  values ($1, $2, $3, $4, $5, $6)
)sql"};

constexpr Statement kInstruct{"settlement.instruct_payouts", R"sql(
  update settlement.obligations
     set state = 'INSTRUCTED', file_number = $3
   where settlement_id = $1
     and partner_id = any($2::int[])
)sql"};

StoredObligation FromRow(const Row& row) {
  StoredObligation obligation;
  obligation.settlement = row.Id<SettlementId>(0);
  obligation.debt.partner = row.Id<PartnerId>(1);
  obligation.debt.direction =
      row.Bool(2) ? netting::Direction::kPartnerIsPaid : netting::Direction::kPartnerPays;
  obligation.debt.amount = row.Id<MinorUnits>(3);
  obligation.currency = ParseCurrency(row.Text(4)).value();
  obligation.status.state = ObligationStateFromName(row.Text(5)).value();
  obligation.end_to_end_id = row.Text(6);
  obligation.status.paid = row.Id<MinorUnits>(7);
  obligation.status.written_off = row.Id<MinorUnits>(8);
  obligation.status.due_at = row.Id<Timestamp>(9);
  obligation.loss_owner = row.OptionalId<PartnerId>(10).value_or(PartnerId());
  obligation.file_number = static_cast<int>(row.Int(11));
  return obligation;
}

std::vector<StoredObligation> FromRows(const Rows& rows) {
  std::vector<StoredObligation> obligations;
  for (const Row& row : rows) obligations.push_back(FromRow(row));
  return obligations;
}

std::optional<StoredPaymentFile> FileFromRows(const Rows& rows) {
  if (rows.empty()) return std::nullopt;
  const Row row = rows[0];
  return StoredPaymentFile{static_cast<int>(row.Int(0)), std::string(row.Text(1)), row.Bytes(2),
                           static_cast<int>(row.Int(3)), row.Id<MinorUnits>(4)};
}

}  // namespace

void InsertObligations(Transaction& transaction, SettlementId id,
                       const std::vector<netting::Obligation>& obligations, Timestamp due_at) {
  const auto is_paid = [](const netting::Obligation& obligation) {
    return obligation.direction == netting::Direction::kPartnerIsPaid;
  };
  transaction.Execute(kInsert, Params()
                                   .Int(id)
                                   .IntArray(obligations, &netting::Obligation::partner)
                                   .BoolArray(obligations, is_paid)
                                   .IntArray(obligations, &netting::Obligation::amount)
                                   .TextArray(obligations,
                                              [&](const netting::Obligation& obligation) {
                                                return EndToEndId(id, obligation.partner);
                                              })
                                   .Int(due_at));
}

std::vector<StoredObligation> ListObligations(Transaction& transaction,
                                              std::optional<SettlementId> settlement,
                                              SettlementId after_settlement,
                                              PartnerId after_partner, int limit) {
  return FromRows(transaction.Execute(
      kList, Params().Int(settlement).Int(after_settlement).Int(after_partner).Int(limit)));
}

std::optional<StoredObligation> FindObligation(Transaction& transaction, SettlementId id,
                                               PartnerId partner) {
  const Rows rows = transaction.Execute(kFind, Params().Int(id).Int(partner));
  if (rows.empty()) return std::nullopt;
  return FromRow(rows[0]);
}

std::vector<StoredObligation> ReadObligations(Transaction& transaction, SettlementId id) {
  return FromRows(transaction.Execute(kReadAll, Params().Int(id)));
}

void UpdateObligation(Transaction& transaction, const StoredObligation& obligation) {
  const std::optional<PartnerId> loss_owner =
      obligation.loss_owner ? std::optional(obligation.loss_owner) : std::nullopt;
  transaction.Execute(kUpdate, Params()
                                   .Int(obligation.settlement)
                                   .Int(obligation.debt.partner)
                                   .Text(ObligationStateName(obligation.status.state))
                                   .Int(obligation.status.paid)
                                   .Int(obligation.status.written_off)
                                   .Int(loss_owner));
  transaction.Execute(kFollow, Params().Int(obligation.settlement));
}

MinorUnits AdvancedToOthers(Transaction& transaction, const Settlement& settlement) {
  return transaction
      .Execute(kReadAdvanced,
               Params().Int(settlement.id).Text(FormatCurrency(settlement.currency)))[0]
      .Id<MinorUnits>(0);
}

std::set<PartnerId> LeaversInDebt(Transaction& transaction, const Currency& currency) {
  std::set<PartnerId> partners;
  for (const Row& row :
       transaction.Execute(kReadLeaversInDebt, Params().Text(FormatCurrency(currency)))) {
    partners.insert(row.Id<PartnerId>(0));
  }
  return partners;
}

int64_t MarkOverdue(Transaction& transaction, Timestamp now) {
  return transaction.Execute(kMarkOverdue, Params().Int(now)).affected();
}

std::optional<StoredPaymentFile> FindLastPaymentFile(Transaction& transaction, SettlementId id) {
  return FileFromRows(transaction.Execute(kFindLastFile, Params().Int(id)));
}

std::optional<StoredPaymentFile> FindPaymentFile(Transaction& transaction, SettlementId id,
                                                 int number) {
  return FileFromRows(transaction.Execute(kFindFile, Params().Int(id).Int(number)));
}

void StorePaymentFile(Transaction& transaction, SettlementId id, const StoredPaymentFile& file,
                      const std::vector<PartnerId>& paid) {
  transaction.Execute(kInsertFile, Params()
                                       .Int(id)
                                       .Int(file.number)
                                       .Text(file.file_name)
                                       .Bytes(file.content)
                                       .Int(file.payments)
                                       .Int(file.total));
  transaction.Execute(kInstruct, Params().Int(id).IntArray(paid).Int(file.number));
  transaction.Execute(kFollow, Params().Int(id));
}

}  // namespace guilder::settlement
