#include "services/settlement/store/settlements.h"

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/store/money.h"
#include "services/settlement/store/obligations.h"

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

// The windows after the last settlement of the currency with a smaller number. The first one of a
// currency that is not the programme's begins when its first contract does.
constexpr Statement kReadSettleable{"settlement.read_settleable", R"sql(
  select w.window_start_us, w.window_end_us
    from settlement.windows w
   where w.window_start_us >=
         (select coalesce(max(s.end_us), 0)
            from settlement.settlements s
           where s.currency = $2::text
             and s.settlement_id < $1)
     and ($3::bool or w.window_end_us > (select min(c.effective_from_us)
                                     from partner.contracts c
                                    where c.state = 'APPROVED'
                                      and c.currency = $2))
   order by w.window_start_us
   limit $4::int
)sql"};

constexpr Statement kLastId{"settlement.last_id", R"sql(
  select coalesce(max(settlement_id), 0) + 1 from settlement.settlements
)sql"};

constexpr Statement kFindComputedBefore{"settlement.find_computed_before", R"sql(
  select 1 from settlement.settlements where settlement_id < $1 and state = 'COMPUTED' limit 1
)sql"};

constexpr Statement kFreeWindows{"settlement.free_windows", R"sql(
  update settlement.windows set settlement_id = null where settlement_id >= $1
)sql"};

constexpr Statement kDeleteLinesAfter{"settlement.delete_lines_after", R"sql(
  delete from settlement.lines where settlement_id >= $1
)sql"};

constexpr Statement kDeleteNetsAfter{"settlement.delete_nets_after", R"sql(
  delete from settlement.nets where settlement_id >= $1
)sql"};

constexpr Statement kDeleteAfter{"settlement.delete_after", R"sql(
  delete from settlement.settlements where settlement_id >= $1 and state = 'COMPUTED'
)sql"};

constexpr Statement kUpsert{"settlement.upsert", R"sql(
  insert into settlement.settlements
         (settlement_id, programme_id, currency, state, start_us, end_us, computed_by, digest)
  values ($1, $2, $3, 'COMPUTED', $4, $5, $6, $7)
      on conflict (settlement_id)
      do update set start_us = excluded.start_us, end_us = excluded.end_us,
                    computed_by = excluded.computed_by, digest = excluded.digest
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
                                cumulative_points, amount, tax_code, tax_ppm, tax, cumulative_amount,
                                cumulative_tax)
  select $1, l.*
    from unnest($2::int[], $3::int[], $4::int[], $5::text[], $6::bigint[], $7::bigint[],
                $8::bigint[], $9::text[], $10::int[], $11::bigint[], $12::bigint[],
                $13::bigint[]) as l
)sql"};

constexpr Statement kInsertNets{"settlement.insert_nets", R"sql(
  insert into settlement.nets (settlement_id, partner_id, points_issued, points_reversed,
                               points_redeemed, issuance, reimbursement, fee, tax, net, reserve,
                               breakage, carried_in, carried_out, point_blocks)
  select $1, n.*
    from unnest($2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
                $13::bigint[], $14::bigint[], $15::bigint[]) as n
)sql"};

#define GUILDER_SETTLEMENT_COLUMNS_                                                            \
  "s.settlement_id, s.state, s.currency, s.start_us, s.end_us, s.computed_by, s.approved_by, " \
  "s.approved_at_us, s.digest "

constexpr Statement kFind{"settlement.find", "select " GUILDER_SETTLEMENT_COLUMNS_ R"sql(
    from settlement.settlements s
   where s.settlement_id = $1
)sql"};

constexpr Statement kList{"settlement.list", "select " GUILDER_SETTLEMENT_COLUMNS_ R"sql(,
         (select count(*)
            from settlement.windows w
           where w.window_start_us >= s.start_us
             and w.window_start_us < s.end_us),
         coalesce(n.net, 0), coalesce(n.due, 0)
    from settlement.settlements s
    left join lateral (select sum(net)::bigint as net,
                              sum(net + carried_in - carried_out)::bigint as due
                         from settlement.nets
                        where settlement_id = s.settlement_id) n on true
   where s.settlement_id < $1
   order by s.settlement_id desc
   limit $2
)sql"};

#undef GUILDER_SETTLEMENT_COLUMNS_

constexpr Statement kReadWindowStarts{"settlement.read_window_starts", R"sql(
  select window_start_us
    from settlement.windows
   where window_start_us >= (select start_us from settlement.settlements where settlement_id = $1)
     and window_start_us < (select end_us from settlement.settlements where settlement_id = $1)
   order by window_start_us
)sql"};

constexpr Statement kReadLines{"settlement.read_lines", R"sql(
  select line, partner_id, contract_id, leg, points, cumulative_points, amount, tax_code, tax_ppm,
         tax, cumulative_amount, cumulative_tax
    from settlement.lines
   where settlement_id = $1
     and ($2::int is null or partner_id = $2)
   order by line
)sql"};

constexpr Statement kReadNets{"settlement.read_nets", R"sql(
  select partner_id, points_issued, points_reversed, points_redeemed, issuance, reimbursement, fee,
         tax, net, reserve, breakage, carried_in, carried_out, point_blocks
    from settlement.nets
   where settlement_id = $1
     and ($2::int is null or partner_id = $2)
   order by partner_id
)sql"};

constexpr Statement kApprove{"settlement.approve", R"sql(
  update settlement.settlements
     set state = $4, approved_by = $2, approved_at_us = $3
   where settlement_id = $1
)sql"};

// Its own money is the last that its statements show; where it posts none, what was posted before.
constexpr Statement kBound{"settlement.bound", R"sql(
  update settlement.settlements
     set money_number = (select coalesce(max(number), 0) from settlement.money_transactions)
   where settlement_id = $1
)sql"};

Settlement FromRow(const Row& row) {
  Settlement settlement;
  settlement.id = row.Id<SettlementId>(0);
  settlement.state = StateFromName(row.Text(1)).value();
  settlement.currency = ParseCurrency(row.Text(2)).value();
  settlement.start = row.Id<Timestamp>(3);
  settlement.end = row.Id<Timestamp>(4);
  settlement.computed_by = row.Text(5);
  settlement.approved_by = row.Text(6);
  settlement.approved_at = row.OptionalId<Timestamp>(7);
  settlement.digest = row.Bytes(8);
  return settlement;
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
          .IntArray(lines, [](const Line& line) { return line.bill.tax; })
          .IntArray(lines, [](const Line& line) { return line.bill.cumulative_amount; })
          .IntArray(lines, [](const Line& line) { return line.bill.cumulative_tax; }));
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
                                       .IntArray(nets, &Net::net)
                                       .IntArray(nets, &Net::reserve)
                                       .IntArray(nets, &Net::breakage)
                                       .IntArray(nets, &Net::carried_in)
                                       .IntArray(nets, &Net::carried_out)
                                       .IntArray(nets, &Net::point_blocks));
}

}  // namespace

void LockForWriting(Transaction& transaction) {
  transaction.Execute(kLockForWriting);
}

void LockForReading(Transaction& transaction) {
  transaction.Execute(kLockForReading);
}

SettlementId FirstToCompute(Transaction& transaction) {
  return transaction.Execute(kNextId)[0].Id<SettlementId>(0);
}

SettlementId NextNumber(Transaction& transaction) {
  return transaction.Execute(kLastId)[0].Id<SettlementId>(0);
}

absl::StatusOr<std::optional<Settlement>> NextSettlement(Transaction& transaction,
                                                         const Programme& programme,
                                                         SettlementId id, const Currency& currency,
                                                         int most_windows) {
  Settlement settlement;
  settlement.id = id;
  settlement.currency = currency;
  const Rows windows =
      transaction.Execute(kReadSettleable, Params()
                                               .Int(id)
                                               .Text(FormatCurrency(currency))
                                               .Bool(currency == programme.currency)
                                               .Int(most_windows));
  if (windows.empty()) return std::nullopt;
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

bool HasComputedBefore(Transaction& transaction, SettlementId id) {
  return !transaction.Execute(kFindComputedBefore, Params().Int(id)).empty();
}

void DeleteComputedFrom(Transaction& transaction, SettlementId id) {
  for (const Statement* statement :
       {&kFreeWindows, &kDeleteLinesAfter, &kDeleteNetsAfter, &kDeleteAfter}) {
    transaction.Execute(*statement, Params().Int(id));
  }
}

void WriteComputed(Transaction& transaction, const Programme& programme,
                   const Settlement& settlement, const Computation& computation) {
  transaction.Execute(kUpsert, Params()
                                   .Int(settlement.id)
                                   .Int(programme.id)
                                   .Text(FormatCurrency(settlement.currency))
                                   .Int(settlement.start)
                                   .Int(settlement.end)
                                   .Text(settlement.computed_by)
                                   .Bytes(settlement.digest));
  transaction.Execute(kDeleteLines, Params().Int(settlement.id));
  transaction.Execute(kDeleteNets, Params().Int(settlement.id));
  if (settlement.currency == programme.currency) {
    transaction.Execute(kTakeWindows,
                        Params().Int(settlement.id).Int(settlement.start).Int(settlement.end));
  }
  InsertLines(transaction, settlement.id, computation.lines);
  InsertNets(transaction, settlement.id, computation.nets);
}

absl::StatusOr<Settlement> FindSettlement(Transaction& transaction, SettlementId id) {
  const Rows rows = transaction.Execute(kFind, Params().Int(id));
  if (rows.empty()) return Refuse(Reason::kSettlementNotFound);
  return FromRow(rows[0]);
}

std::vector<SettlementSummary> ListSettlements(Transaction& transaction, SettlementId before,
                                               int limit) {
  std::vector<SettlementSummary> listed;
  for (const Row& row : transaction.Execute(kList, Params().Int(before).Int(limit))) {
    listed.push_back({FromRow(row), static_cast<int>(row.Int(9)), row.Id<MinorUnits>(10),
                      row.Id<MinorUnits>(11)});
  }
  return listed;
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
    line.bill.cumulative_amount = row.Id<MinorUnits>(10);
    line.bill.cumulative_tax = row.Id<MinorUnits>(11);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<Net> ReadNets(Transaction& transaction, SettlementId id,
                          std::optional<PartnerId> partner) {
  std::vector<Net> nets;
  for (const Row& row : transaction.Execute(kReadNets, Params().Int(id).Int(partner))) {
    Net& net = nets.emplace_back();
    net.partner = row.Id<PartnerId>(0);
    net.issued = row.Id<Points>(1);
    net.reversed = row.Id<Points>(2);
    net.redeemed = row.Id<Points>(3);
    MinorUnits* const amounts[] = {
        &net.issuance, &net.reimbursement, &net.fee,        &net.tax,         &net.net,
        &net.reserve,  &net.breakage,      &net.carried_in, &net.carried_out, &net.point_blocks};
    for (int i = 0; i < 10; ++i) *amounts[i] = row.Id<MinorUnits>(4 + i);
  }
  return nets;
}

absl::Status WriteApproval(Transaction& transaction, const Settlement& approved,
                           const Computation& computation, Timestamp due_at) {
  transaction.Execute(kApprove, Params()
                                    .Int(approved.id)
                                    .Text(approved.approved_by)
                                    .Int(approved.approved_at)
                                    .Text(StateName(approved.state)));
  InsertObligations(transaction, approved.id, computation.obligations, due_at);
  // Where only prepaid points moved, no money did.
  if (!computation.entries.empty()) {
    const std::string name = SettlementName(approved.id);
    GUILDER_RETURN_IF_ERROR(PostMoney(transaction, {.kind = MoneyKind::kSettlement,
                                                    .currency = approved.currency,
                                                    .reference = name,
                                                    .idempotency_key = name + "/approval",
                                                    .posted_by = approved.approved_by,
                                                    .settlement = approved.id,
                                                    .entries = computation.entries})
                                .status());
  }
  transaction.Execute(kBound, Params().Int(approved.id));
  return absl::OkStatus();
}

}  // namespace guilder::settlement
