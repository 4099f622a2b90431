#include "libs/ledger/store/limits.h"

#include "libs/postgres/connection.h"

namespace guilder::ledger {
namespace {

using postgres::Params;
using postgres::Statement;

// Into the pool, so that no book is waited for: the first one that lacks an allowance has it
// divided.
constexpr Statement kGrant{"ledger.grant_limit", R"sql(
  insert into ledger.limits as l (limit_id, granted, pool)
  values ($1, $2, $2)
      on conflict (limit_id) do update
     set granted = l.granted + excluded.granted, pool = l.pool + excluded.pool
)sql"};

constexpr Statement kRead{"ledger.read_limit", R"sql(
  select l.granted, l.pool + (select coalesce(sum(a.remaining), 0)::bigint
                                from ledger.books b
                                join ledger.allowances a on a.book = b.book
                               where a.limit_id = l.limit_id)
    from ledger.limits l
   where l.limit_id = $1
)sql"};

}  // namespace

void GrantLimit(postgres::Transaction& transaction, LimitId limit, Points points) {
  transaction.Execute(kGrant, Params().Int(limit).Int(points));
}

LimitState ReadLimit(postgres::Transaction& transaction, LimitId limit) {
  const postgres::Rows rows = transaction.Execute(kRead, Params().Int(limit));
  if (rows.empty()) return {};
  return {rows[0].Id<Points>(0), rows[0].Id<Points>(1)};
}

}  // namespace guilder::ledger
