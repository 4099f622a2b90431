#include "services/settlement/store/policy.h"

#include <string_view>

#include "libs/postgres/connection.h"

namespace guilder::settlement {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Rows;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kRead{"settlement.read_policy", R"sql(
  select payment_days, payout, reserve, revision, changed_by, settle_each_window
    from settlement.policies
   where programme_id = $1
)sql"};

constexpr Statement kWrite{"settlement.write_policy", R"sql(
  insert into settlement.policies as p (programme_id, payment_days, payout, reserve, changed_by,
                                        settle_each_window)
  values ($1, $2, $3, $4, $5, $6)
      on conflict (programme_id)
      do update set payment_days = excluded.payment_days, payout = excluded.payout,
                    reserve = excluded.reserve, changed_by = excluded.changed_by,
                    settle_each_window = excluded.settle_each_window, revision = p.revision + 1
  returning payment_days, payout, reserve, revision, changed_by, settle_each_window
)sql"};

constexpr std::string_view kWhenCollected = "WHEN_COLLECTED";

Policy PolicyFromRow(const Row& row) {
  Policy policy;
  policy.payment_days = static_cast<int>(row.Int(0));
  policy.payout =
      row.Text(1) == kWhenCollected ? PayoutPolicy::kWhenCollected : PayoutPolicy::kWhenDue;
  policy.reserve = row.Id<MinorUnits>(2);
  policy.revision = row.Int(3);
  policy.changed_by = row.Text(4);
  policy.settle_each_window = row.Bool(5);
  return policy;
}

}  // namespace

Policy ReadPolicy(Transaction& transaction, ProgrammeId programme) {
  const Rows rows = transaction.Execute(kRead, Params().Int(programme));
  return rows.empty() ? Policy() : PolicyFromRow(rows[0]);
}

Policy WritePolicy(Transaction& transaction, ProgrammeId programme, const Policy& policy) {
  const bool collected = policy.payout == PayoutPolicy::kWhenCollected;
  return PolicyFromRow(
      transaction.Execute(kWrite, Params()
                                      .Int(programme)
                                      .Int(policy.payment_days)
                                      .Text(collected ? kWhenCollected : "WHEN_DUE")
                                      .Int(policy.reserve)
                                      .Text(policy.changed_by)
                                      .Bool(policy.settle_each_window))[0]);
}

}  // namespace guilder::settlement
