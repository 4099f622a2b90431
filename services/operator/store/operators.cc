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

}  // namespace

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
