#include "services/settlement/store/settlements.h"

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/store/money.h"

namespace guilder::settlement {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kLockForWriting{"settlement.lock_for_writing", R"sql(
  select pg_advisory_xact_lock(hashtext('settlement.settlements'))
)sql"};

constexpr Statement kLockForReading{"settlement.lock_for_reading", R"sql(
  select pg_advisory_xact_lock_shared(hashtext('settlement.settlements'))
)sql"};

constexpr Statement kNextId{"settlement.next_id", R"sql(
  select coalesce(max(settlement_id), 0) + 1
    from settlement.settlements
   where state <> 'COMPUTED'
)sql"};

constexpr Statement kReadSettleable{"settlement.read_settleable", R"sql(
  select w.window_start_us, w.window_end_us
    from settlement.windows w
   where w.settlement_id is null
      or w.settlement_id = $1
   order by w.window_start_us
)sql"};

constexpr Statement kUpsert{"settlement.upsert", R"sql(
  insert into settlement.settlements
         (settlement_id, programme_id, currency, state, start_us, end_us, computed_by)
  values ($1, $2, $3, 'COMPUTED', $4, $5, $6)
      on conflict (settlement_id)
      do update set start_us = excluded.start_us, end_us = excluded.end_us,
                    computed_by = excluded.computed_by
)sql"};

constexpr Statement kDeleteLines{"settlement.delete_lines", R"sql(
  delete from settlement.lines where settlement_id = $1
)sql"};

constexpr Statement kDeleteNets{"settlement.delete_nets", R"sql(
  delete from settlement.nets where settlement_id = $1
)sql"};

constexpr Statement kTakeWindows{"settlement.take_windows", R"sql(
  update settlement.windows
     set settlement_id = $1
   where window_start_us >= $2
     and window_start_us < $3
)sql"};

constexpr Statement kInsertLines{"settlement.insert_lines", R"sql(
  insert into settlement.lines (settlement_id, line, partner_id, contract_id, leg, points,
                                cumulative_points, amount, tax_code, tax_ppm, tax)
  select $1, l.*
    from unnest($2::int[], $3::int[], $4::int[], $5::text[], $6::bigint[], $7::bigint[],
                $8::bigint[], $9::text[], $10::int[], $11::bigint[]) as l
)sql"};

constexpr Statement kInsertNets{"settlement.insert_nets", R"sql(
  insert into settlement.nets (settlement_id, partner_id, points_issued, points_reversed,
                               points_redeemed, issuance, reimbursement, fee, tax, net)
  select $1, n.*
    from unnest($2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                $8::bigint[], $9::bigint[], $10::bigint[]) as n
)sql"};

constexpr Statement kFind{"settlement.find", R"sql(
  select settlement_id, state, currency, start_us, end_us, computed_by, approved_by, approved_at_us
    from settlement.settlements
   where settlement_id = $1
)sql"};

constexpr Statement kReadWindowStarts{"settlement.read_window_starts", R"sql(
  select window_start_us
    from settlement.windows
   where settlement_id = $1
   order by window_start_us
)sql"};

constexpr Statement kReadLines{"settlement.read_lines", R"sql(
  select line, partner_id, contract_id, leg, points, cumulative_points, amount, tax_code, tax_ppm, tax
    from settlement.lines
   where settlement_id = $1
     and ($2::int is null or partner_id = $2)
   order by line
)sql"};

constexpr Statement kReadNets{"settlement.read_nets", R"sql(
  select partner_id, points_issued, points_reversed, points_redeemed, issuance, reimbursement, fee,
         tax, net
    from settlement.nets
   where settlement_id = $1
     and ($2::int is null or partner_id = $2)
   order by partner_id
)sql"};

constexpr Statement kApprove{"settlement.approve", R"sql(
  update settlement.settlements
     set state = 'APPROVED', approved_by = $2, approved_at_us = $3
   where settlement_id = $1
)sql"};

constexpr Statement kInsertObligations{"settlement.insert_obligations", R"sql(
  insert into settlement.obligations (settlement_id, partner_id, partner_is_paid, amount, state,
                                      end_to_end_id)
  select $1, o.partner_id, o.partner_is_paid, o.amount, 'OPEN', o.end_to_end_id
    from unnest($2::int[], $3::bool[], $4::bigint[], $5::text[])
         as o (partner_id, partner_is_paid, amount, end_to_end_id)
)sql"};

#define GUILDER_OBLIGATION_COLUMNS_                                                   \
  "o.settlement_id, o.partner_id, o.partner_is_paid, o.amount, s.currency, o.state, " \
  "o.end_to_end_id "                                                                  \
  "from settlement.obligations o join settlement.settlements s using (settlement_id) "

constexpr Statement kListObligations{"settlement.list_obligations",
                                     "select " GUILDER_OBLIGATION_COLUMNS_ R"sql(
   where ($1::int is null or o.settlement_id = $1)
     and (o.settlement_id, o.partner_id) > ($2, $3)
   order by o.settlement_id, o.partner_id
   limit $4
)sql"};

constexpr Statement kFindObligation{"settlement.find_obligation",
                                    "select " GUILDER_OBLIGATION_COLUMNS_ R"sql(
   where o.settlement_id = $1
     and o.partner_id = $2
)sql"};

constexpr Statement kReadPayouts{"settlement.read_payouts",
                                 "select " GUILDER_OBLIGATION_COLUMNS_ R"sql(
   where o.settlement_id = $1
     and o.partner_is_paid
   order by o.partner_id
)sql"};

#undef GUILDER_OBLIGATION_COLUMNS_

constexpr Statement kFindPaymentFile{"settlement.find_payment_file", R"sql(
  select content from settlement.payment_files where settlement_id = $1
)sql"};

constexpr Statement kInsertPaymentFile{"settlement.insert_payment_file", R"sql(
  insert into settlement.payment_files (settlement_id, file_name, content) values ($1, $2, $3)
)sql"};

constexpr Statement kInstructPayouts{"settlement.instruct_payouts", R"sql(
  update settlement.obligations set state = 'INSTRUCTED' where settlement_id = $1 and partner_is_paid
)sql"};

constexpr Statement kInstruct{"settlement.instruct", R"sql(
  update settlement.settlements set state = 'INSTRUCTED' where settlement_id = $1
)sql"};

StoredObligation ObligationFromRow(const Row& row) {
  StoredObligation obligation;
  obligation.settlement = row.Id<SettlementId>(0);
  obligation.debt.partner = row.Id<PartnerId>(1);
  obligation.debt.direction =
      row.Bool(2) ? netting::Direction::kPartnerIsPaid : netting::Direction::kPartnerPays;
  obligation.debt.amount = row.Id<MinorUnits>(3);
  obligation.currency = ParseCurrency(row.Text(4)).value();
  obligation.instructed = row.Text(5) == "INSTRUCTED";
  obligation.end_to_end_id = row.Text(6);
  return obligation;
}

std::vector<StoredObligation> ObligationsFromRows(const Rows& rows) {
  std::vector<StoredObligation> obligations;
  for (const Row& row : rows) obligations.push_back(ObligationFromRow(row));
  return obligations;
}

void InsertLines(Transaction& transaction, SettlementId id, const std::vector<Line>& lines) {
  transaction.Execute(
      kInsertLines,
      Params()
          .Int(id)
          .IntArray(lines, &Line::number)
          .IntArray(lines, [](const Line& line) { return line.bill.partner; })
          .IntArray(lines, [](const Line& line) { return line.bill.contract; })
          .TextArray(lines, [](const Line& line) { return LegName(line.bill.leg); })
          .IntArray(lines, [](const Line& line) { return line.bill.points; })
          .IntArray(lines, [](const Line& line) { return line.bill.cumulative_points; })
          .IntArray(lines, [](const Line& line) { return line.bill.amount; })
          .TextArray(lines, [](const Line& line) { return line.bill.tax_code; })
          .IntArray(lines, &Line::tax_ppm)
          .IntArray(lines, [](const Line& line) { return line.bill.tax; }));
}

void InsertNets(Transaction& transaction, SettlementId id, const std::vector<Net>& nets) {
  transaction.Execute(kInsertNets, Params()
                                       .Int(id)
                                       .IntArray(nets, &Net::partner)
                                       .IntArray(nets, &Net::issued)
                                       .IntArray(nets, &Net::reversed)
                                       .IntArray(nets, &Net::redeemed)
                                       .IntArray(nets, &Net::issuance)
                                       .IntArray(nets, &Net::reimbursement)
                                       .IntArray(nets, &Net::fee)
                                       .IntArray(nets, &Net::tax)
                                       .IntArray(nets, &Net::net));
}

void InsertObligations(Transaction& transaction, SettlementId id,
                       const std::vector<netting::Obligation>& obligations) {
  const auto is_paid = [](const netting::Obligation& obligation) {
    return obligation.direction == netting::Direction::kPartnerIsPaid;
  };
  transaction.Execute(kInsertObligations,
                      Params()
                          .Int(id)
                          .IntArray(obligations, &netting::Obligation::partner)
                          .BoolArray(obligations, is_paid)
                          .IntArray(obligations, &netting::Obligation::amount)
                          .TextArray(obligations, [&](const netting::Obligation& obligation) {
                            return is_paid(obligation) ? EndToEndId(id, obligation.partner)
                                                       : std::string();
                          }));
}

}  // namespace

void LockForWriting(Transaction& transaction) {
  transaction.Execute(kLockForWriting);
}

void LockForReading(Transaction& transaction) {
  transaction.Execute(kLockForReading);
}

absl::StatusOr<Settlement> NextSettlement(Transaction& transaction, const Programme& programme) {
  Settlement settlement;
  settlement.id = transaction.Execute(kNextId)[0].Id<SettlementId>(0);
  settlement.currency = programme.currency;
  const Rows windows = transaction.Execute(kReadSettleable, Params().Int(settlement.id));
  if (windows.empty()) return Refuse(Reason::kNothingToSettle);
  settlement.start = windows[0].Id<Timestamp>(0);
  settlement.end = settlement.start;
  for (const Row& window : windows) {
    if (window.Id<Timestamp>(0) != settlement.end) {
      return absl::InternalError(
          absl::StrCat("no window was sealed that starts at ", FormatTimestamp(settlement.end)));
    }
    settlement.end = window.Id<Timestamp>(1);
  }
  return settlement;
}

void WriteComputed(Transaction& transaction, const Programme& programme,
                   const Settlement& settlement, const Computation& computation) {
  transaction.Execute(kUpsert, Params()
                                   .Int(settlement.id)
                                   .Int(programme.id)
                                   .Text(FormatCurrency(settlement.currency))
                                   .Int(settlement.start)
                                   .Int(settlement.end)
                                   .Text(settlement.computed_by));
  transaction.Execute(kDeleteLines, Params().Int(settlement.id));
  transaction.Execute(kDeleteNets, Params().Int(settlement.id));
  transaction.Execute(kTakeWindows,
                      Params().Int(settlement.id).Int(settlement.start).Int(settlement.end));
  InsertLines(transaction, settlement.id, computation.lines);
  InsertNets(transaction, settlement.id, computation.nets);
}

absl::StatusOr<Settlement> FindSettlement(Transaction& transaction, SettlementId id) {
  const Rows rows = transaction.Execute(kFind, Params().Int(id));
  if (rows.empty()) return Refuse(Reason::kSettlementNotFound);
  const Row row = rows[0];
  Settlement settlement;
  settlement.id = row.Id<SettlementId>(0);
  settlement.state = StateFromName(row.Text(1)).value();
  settlement.currency = ParseCurrency(row.Text(2)).value();
  settlement.start = row.Id<Timestamp>(3);
  settlement.end = row.Id<Timestamp>(4);
  settlement.computed_by = row.Text(5);
  settlement.approved_by = row.Text(6);
  settlement.approved_at = row.OptionalId<Timestamp>(7);
  return settlement;
}

std::vector<Timestamp> ReadWindowStarts(Transaction& transaction, SettlementId id) {
  std::vector<Timestamp> starts;
  for (const Row& row : transaction.Execute(kReadWindowStarts, Params().Int(id))) {
    starts.push_back(row.Id<Timestamp>(0));
  }
  return starts;
}

std::vector<Line> ReadLines(Transaction& transaction, SettlementId id,
                            std::optional<PartnerId> partner) {
  std::vector<Line> lines;
  for (const Row& row : transaction.Execute(kReadLines, Params().Int(id).Int(partner))) {
    Line line;
    line.number = static_cast<int>(row.Int(0));
    line.bill.partner = row.Id<PartnerId>(1);
    line.bill.contract = row.Id<ContractId>(2);
    line.bill.leg = LegFromName(row.Text(3)).value();
    line.bill.points = row.Id<Points>(4);
    line.bill.cumulative_points = row.Id<Points>(5);
    line.bill.amount = row.Id<MinorUnits>(6);
    line.bill.tax_code = row.Text(7);
    line.tax_ppm = row.Int(8);
    line.bill.tax = row.Id<MinorUnits>(9);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<Net> ReadNets(Transaction& transaction, SettlementId id,
                          std::optional<PartnerId> partner) {
  std::vector<Net> nets;
  for (const Row& row : transaction.Execute(kReadNets, Params().Int(id).Int(partner))) {
    nets.push_back({row.Id<PartnerId>(0), row.Id<Points>(1), row.Id<Points>(2), row.Id<Points>(3),
                    row.Id<MinorUnits>(4), row.Id<MinorUnits>(5), row.Id<MinorUnits>(6),
                    row.Id<MinorUnits>(7), row.Id<MinorUnits>(8)});
  }
  return nets;
}

absl::Status WriteApproval(Transaction& transaction, const Settlement& approved,
                           const Computation& computation) {
  transaction.Execute(
      kApprove, Params().Int(approved.id).Text(approved.approved_by).Int(approved.approved_at));
  InsertObligations(transaction, approved.id, computation.obligations);
  // Where only prepaid points moved, no money did.
  if (computation.entries.empty()) return absl::OkStatus();
  const std::string name = SettlementName(approved.id);
  return PostMoney(transaction, {.kind = MoneyKind::kSettlement,
                                 .currency = approved.currency,
                                 .reference = name,
                                 .idempotency_key = name + "/approval",
                                 .posted_by = approved.approved_by,
                                 .settlement = approved.id,
                                 .entries = computation.entries})
      .status();
}

std::vector<StoredObligation> ListObligations(Transaction& transaction,
                                              std::optional<SettlementId> settlement,
                                              SettlementId after_settlement,
                                              PartnerId after_partner, int limit) {
  return ObligationsFromRows(transaction.Execute(
      kListObligations,
      Params().Int(settlement).Int(after_settlement).Int(after_partner).Int(limit)));
}

std::optional<StoredObligation> FindObligation(Transaction& transaction, SettlementId id,
                                               PartnerId partner) {
  const Rows rows = transaction.Execute(kFindObligation, Params().Int(id).Int(partner));
  if (rows.empty()) return std::nullopt;
  return ObligationFromRow(rows[0]);
}

std::vector<StoredObligation> ReadPayouts(Transaction& transaction, SettlementId id) {
  return ObligationsFromRows(transaction.Execute(kReadPayouts, Params().Int(id)));
}

std::optional<std::string> FindPaymentFile(Transaction& transaction, SettlementId id) {
  const Rows rows = transaction.Execute(kFindPaymentFile, Params().Int(id));
  if (rows.empty()) return std::nullopt;
  return rows[0].Bytes(0);
}

void StorePaymentFile(Transaction& transaction, SettlementId id, const std::string& file_name,
                      const std::string& content) {
  transaction.Execute(kInsertPaymentFile, Params().Int(id).Text(file_name).Bytes(content));
  transaction.Execute(kInstructPayouts, Params().Int(id));
  transaction.Execute(kInstruct, Params().Int(id));
}

}  // namespace guilder::settlement
