#include "services/operator/store/operators.h"

#include "absl/strings/str_split.h"

#include "libs/base/text.h"

namespace guilder::operator_ {
namespace {

using postgres::Params;
using postgres::Row;
using postgres::Statement;
using postgres::Transaction;

constexpr Statement kInsert{"operator.insert", R"sql(
  insert into operator.operators (operator_id, display_name, roles, token_hash, created_at_us)
  values ($1, $2, $3::text[], $4, (extract(epoch from now()) * 1000000)::bigint)
      on conflict (operator_id) do nothing
  returning operator_id
)sql"};

constexpr Statement kList{"operator.list", R"sql(
  select operator_id, display_name, array_to_string(roles, ',')
    from operator.operators
   where operator_id > $1
     and disabled_at_us is null
   order by operator_id
   limit $2
)sql"};

constexpr Statement kLock{"operator.lock", R"sql(
  select operator_id, display_name, array_to_string(roles, ','), disabled_at_us
    from operator.operators
   where operator_id = $1
     for update
)sql"};

// Counted after the lock, in a statement of its own: what others did meanwhile is seen.
constexpr Statement kTakeTurns{"operator.take_turns", R"sql(
  select pg_advisory_xact_lock(hashtext('operator.administrators'))
)sql"};

constexpr Statement kCountAllAdministrators{"operator.count_all_administrators", R"sql(
  select count(*) from operator.operators where 'admin' = any(roles)
)sql"};

constexpr Statement kCountAdministrators{"operator.count_administrators", R"sql(
  select count(*) from operator.operators where disabled_at_us is null and 'admin' = any(roles)
)sql"};

constexpr Statement kDisable{"operator.disable", R"sql(
  update operator.operators
     set disabled_at_us = (extract(epoch from clock_timestamp()) * 1000000)::bigint
   where operator_id = $1
  returning disabled_at_us
)sql"};

}  // namespace

std::optional<Operator> LockOperator(Transaction& transaction, std::string_view id) {
  const auto rows = transaction.Execute(kLock, Params().Text(id));
  if (rows.empty()) return std::nullopt;
  return Operator{std::string(rows[0].Text(0)), std::string(rows[0].Text(1)),
                  absl::StrSplit(ToAbsl(rows[0].Text(2)), ','), rows[0].OptionalId<Timestamp>(3)};
}

int64_t LockAdministrators(Transaction& transaction) {
  transaction.Execute(kTakeTurns);
  return transaction.Execute(kCountAdministrators)[0].Int(0);
}

bool HadSeveralAdministrators(Transaction& transaction) {
  return transaction.Execute(kCountAllAdministrators)[0].Int(0) > 1;
}

Timestamp DisableOperator(Transaction& transaction, std::string_view id) {
  return transaction.Execute(kDisable, Params().Text(id))[0].Id<Timestamp>(0);
}

bool InsertOperator(Transaction& transaction, const Operator& created, const Digest& token_hash) {
  const auto inserted = transaction.Execute(kInsert, Params()
                                                         .Text(created.id)
                                                         .Text(created.display_name)
                                                         .TextArray(created.roles)
                                                         .Bytes(token_hash));
  return !inserted.empty();
}

std::vector<Operator> ListOperators(Transaction& transaction, const std::string& after, int limit) {
  std::vector<Operator> operators;
  for (const Row& row : transaction.Execute(kList, Params().Text(after).Int(limit))) {
    operators.push_back({std::string(row.Text(0)), std::string(row.Text(1)),
                         absl::StrSplit(ToAbsl(row.Text(2)), ',')});
  }
  return operators;
}

}  // namespace guilder::operator_
