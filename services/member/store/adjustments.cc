#include "services/member/store/adjustments.h"

#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"

namespace guilder::member {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;
using postgres::Transaction;

#define GUILDER_ADJUSTMENT_COLUMNS_                                                             \
  "adjustment_id, request_id, account_id, points, reason, payer_id, note, state, proposed_by, " \
  "proposed_at_us, decided_by"

constexpr Statement kLockOperator{"member.lock_adjustments", R"sql(
  select pg_advisory_xact_lock(hashtextextended('adjustments of ' || $1, 0))
)sql"};

constexpr Statement kSumToday{"member.sum_adjustments_of", R"sql(
  select coalesce(sum(abs(points)), 0)::bigint
    from member.adjustments
   where proposed_by = $1 and proposed_at_us >= $2 and state not in ($3::smallint, $4::smallint)
)sql"};

constexpr Statement kInsert{"member.insert_adjustment", R"sql(
  insert into member.adjustments (request_id, book, account_id, points, reason, payer_id, note, state,
                                  proposed_by, proposed_at_us)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
  returning adjustment_id
)sql"};

constexpr Statement kFind{"member.find_adjustment", "select " GUILDER_ADJUSTMENT_COLUMNS_ R"sql(
    from member.adjustments where request_id = $1
)sql"};

constexpr Statement kLock{"member.lock_adjustment", "select " GUILDER_ADJUSTMENT_COLUMNS_ R"sql(
    from member.adjustments where adjustment_id = $1 for no key update
)sql"};

// What was posted stays so.
constexpr Statement kSetState{"member.set_adjustment_state", R"sql(
  update member.adjustments
     set state = $2, decided_by = case when $3 = '' then decided_by else $3 end
   where adjustment_id = $1 and state <> $4
)sql"};

constexpr Statement kList{"member.list_adjustments", "select " GUILDER_ADJUSTMENT_COLUMNS_ R"sql(
    from member.adjustments
   where adjustment_id < $1 and ($2::smallint = 0 or state = $2)
   order by adjustment_id desc
   limit $3
)sql"};

constexpr Statement kSum{"member.sum_adjustments", R"sql(
  select reason, payer_id, count(*), coalesce(sum(points) filter (where points > 0), 0)::bigint,
         coalesce(-sum(points) filter (where points < 0), 0)::bigint
    from member.adjustments
   where state = $1 and posted_at_us >= $2 and posted_at_us < $3
   group by reason, payer_id
   order by reason, payer_id
)sql"};

constexpr Statement kMarkPosted{"member.mark_adjustments_posted", R"sql(
  update member.adjustments a
     set state = $1, number = w.number, posted_at_us = w.posted_at_us, account_id = w.account_id,
         book = (w.account_id & 65535)::int
    from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
           as w (adjustment_id, number, posted_at_us, account_id)
   where a.adjustment_id = w.adjustment_id
)sql"};

#undef GUILDER_ADJUSTMENT_COLUMNS_

Adjustment ToAdjustment(const Row& row) {
  Adjustment adjustment;
  adjustment.id = row.Int(0);
  adjustment.request_id = row.Uuid(1);
  adjustment.account = row.Id<AccountId>(2);
  adjustment.points = row.Id<Points>(3);
  adjustment.reason = row.Enum<AdjustmentReason>(4);
  adjustment.payer = row.Id<PartnerId>(5);
  adjustment.note = row.Text(6);
  adjustment.state = row.Enum<AdjustmentState>(7);
  adjustment.proposed_by = row.Text(8);
  adjustment.proposed_at = row.Id<Timestamp>(9);
  adjustment.decided_by = row.Text(10);
  return adjustment;
}

std::optional<Adjustment> First(const postgres::Rows& rows) {
  if (rows.empty()) return std::nullopt;
  return ToAdjustment(rows[0]);
}

}  // namespace

void LockAdjustmentsOf(Transaction& transaction, const std::string& proposed_by) {
  transaction.Execute(kLockOperator, Params().Text(proposed_by));
}

Points AdjustedSince(Transaction& transaction, const std::string& proposed_by, Timestamp since) {
  return transaction
      .Execute(kSumToday, Params()
                              .Text(proposed_by)
                              .Int(since)
                              .Int(AdjustmentState::kRejected)
                              .Int(AdjustmentState::kRefused))[0]
      .Id<Points>(0);
}

void InsertAdjustment(Transaction& transaction, Adjustment& adjustment) {
  adjustment.id = transaction
                      .Execute(kInsert, Params()
                                            .Uuid(adjustment.request_id)
                                            .Int(ledger::BookOf(adjustment.account))
                                            .Int(adjustment.account)
                                            .Int(adjustment.points)
                                            .Int(adjustment.reason)
                                            .Int(adjustment.payer)
                                            .Text(adjustment.note)
                                            .Int(adjustment.state)
                                            .Text(adjustment.proposed_by)
                                            .Int(adjustment.proposed_at))[0]
                      .Int(0);
}

std::optional<Adjustment> FindAdjustment(Transaction& transaction, const Uuid& request_id) {
  return First(transaction.Execute(kFind, Params().Uuid(request_id)));
}

std::optional<Adjustment> LockAdjustment(Transaction& transaction, int64_t id) {
  return First(transaction.Execute(kLock, Params().Int(id)));
}

void SetAdjustmentState(Transaction& transaction, int64_t id, AdjustmentState state,
                        const std::string& decided_by) {
  transaction.Execute(kSetState,
                      Params().Int(id).Int(state).Text(decided_by).Int(AdjustmentState::kPosted));
}

std::vector<Adjustment> ListAdjustments(Transaction& transaction, AdjustmentState state,
                                        int64_t before, int limit) {
  std::vector<Adjustment> adjustments;
  for (const Row& row : transaction.Execute(kList, Params().Int(before).Int(state).Int(limit))) {
    adjustments.push_back(ToAdjustment(row));
  }
  return adjustments;
}

std::vector<AdjustmentSum> SumAdjustments(Transaction& transaction, Timestamp from,
                                          Timestamp until) {
  std::vector<AdjustmentSum> sums;
  for (const Row& row :
       transaction.Execute(kSum, Params().Int(AdjustmentState::kPosted).Int(from).Int(until))) {
    sums.push_back({row.Enum<AdjustmentReason>(0), row.Id<PartnerId>(1), row.Int(2),
                    row.Id<Points>(3), row.Id<Points>(4)});
  }
  return sums;
}

void AdjustmentRows::Write(Transaction& transaction,
                           const std::vector<ledger::Command*>& commands) {
  std::vector<const AdjustmentCommand*> rows;
  for (const ledger::Command* command : commands) {
    rows.push_back(static_cast<const AdjustmentCommand*>(command));
  }
  using Row = const AdjustmentCommand*;
  transaction.Execute(kMarkPosted, Params()
                                       .Int(AdjustmentState::kPosted)
                                       .IntArray(rows, [](Row row) { return row->adjustment.id; })
                                       .IntArray(rows, [](Row row) { return row->place.number; })
                                       .IntArray(rows, [](Row row) { return row->place.posted_at; })
                                       .IntArray(rows, &AdjustmentCommand::account));
}

}  // namespace guilder::member
