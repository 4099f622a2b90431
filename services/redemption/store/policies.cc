#include "services/redemption/store/policies.h"

#include "libs/base/text.h"
#include "libs/ledger/core/account.h"
#include "libs/postgres/connection.h"

namespace guilder::redemption {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;

constexpr Statement kRead{"redemption.read_policy", R"sql(
  select number, consumption_order, grace_days, step_up_points, max_failed_attempts, review_redemptions,
         review_period_seconds, review_new_device_per_mille, review_seconds, set_by, set_at_us,
         late_spend_seconds
    from redemption.policies
   where programme_id = $1
   order by number desc
   limit 1
)sql"};

constexpr Statement kInsert{"redemption.insert_policy", R"sql(
  insert into redemption.policies
         (programme_id, number, consumption_order, grace_days, step_up_points, max_failed_attempts,
          review_redemptions, review_period_seconds, review_new_device_per_mille, review_seconds, set_by,
          set_at_us, late_spend_seconds)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
      on conflict (programme_id, number) do nothing
)sql"};

constexpr Statement kAccountExists{"redemption.account_exists", R"sql(
  select 1 from ledger.accounts where book = $1 and account_id = $2
)sql"};

constexpr Statement kWritePin{"redemption.write_pin", R"sql(
  insert into redemption.members as m (book, account_id, pin_hash, pin_set_us)
  values ($1, $2, nullif($3, ''), $4)
      on conflict (book, account_id) do update
     set pin_hash = excluded.pin_hash, pin_set_us = greatest(excluded.pin_set_us, m.pin_set_us + 1)
)sql"};

constexpr Statement kWriteCode{"redemption.write_code", R"sql(
  insert into redemption.members (book, account_id, code_hash, code_expires_us)
  values ($1, $2, $3, $4)
      on conflict (book, account_id) do update
     set code_hash = excluded.code_hash, code_expires_us = excluded.code_expires_us
)sql"};

constexpr Statement kUnlock{"redemption.unlock", R"sql(
  update redemption.members
     set locked_at_us = null, failed_attempts = 0
   where book = $1 and account_id = $2 and locked_at_us is not null
)sql"};

Params KeyOf(AccountId account) {
  return Params().Int(ledger::BookOf(account)).Int(account);
}

}  // namespace

std::optional<StoredPolicy> ReadPolicy(postgres::Transaction& tx, ProgrammeId programme) {
  const postgres::Rows rows = tx.Execute(kRead, Params().Int(programme));
  if (rows.empty()) return std::nullopt;
  const Row row = rows[0];
  StoredPolicy stored;
  stored.policy = {
      row.Int(0),        row.Enum<ledger::ConsumptionOrder>(1), static_cast<int>(row.Int(2)),
      row.Id<Points>(3), static_cast<int>(row.Int(4)),          static_cast<int>(row.Int(5)),
      row.Int(6),        static_cast<int>(row.Int(7)),          row.Int(8)};
  stored.set_by = row.Text(9);
  stored.set_at = row.Id<Timestamp>(10);
  stored.late_spend_seconds = row.Int(11);
  return stored;
}

bool InsertPolicy(postgres::Transaction& tx, ProgrammeId programme, const StoredPolicy& stored) {
  const ledger::RedemptionPolicy& policy = stored.policy;
  return tx.Execute(kInsert, Params()
                                 .Int(programme)
                                 .Int(policy.number)
                                 .Int(policy.order)
                                 .Int(policy.grace_days)
                                 .Int(policy.step_up_points)
                                 .Int(policy.max_failed_attempts)
                                 .Int(policy.review_redemptions)
                                 .Int(policy.review_period_seconds)
                                 .Int(policy.review_new_device_per_mille)
                                 .Int(policy.review_seconds)
                                 .Text(stored.set_by)
                                 .Int(stored.set_at)
                                 .Int(stored.late_spend_seconds))
             .affected() == 1;
}

bool AccountExists(postgres::Transaction& tx, AccountId account) {
  return !tx.Execute(kAccountExists, KeyOf(account)).empty();
}

void WritePin(postgres::Transaction& tx, AccountId account, const std::string& hash,
              Timestamp now) {
  tx.Execute(kWritePin, KeyOf(account).Text(hash).Int(now));
}

void WriteCode(postgres::Transaction& tx, AccountId account, const Digest& hash,
               Timestamp expires_at) {
  tx.Execute(kWriteCode, KeyOf(account).Bytes(AsView(hash)).Int(expires_at));
}

bool Unlock(postgres::Transaction& tx, AccountId account) {
  return tx.Execute(kUnlock, KeyOf(account)).affected() == 1;
}

}  // namespace guilder::redemption
