// SQL as a named constant beside its only user.
#pragma once

namespace guilder::postgres {

// `constexpr Statement kLockBook{"ledger.lock_book", R"sql(select … where book = $1)sql"};`
//
// The name is unique in the product. A connection prepares a statement when it first executes it.
struct Statement {
  const char* name;
  const char* sql;
};

}  // namespace guilder::postgres
