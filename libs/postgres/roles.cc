#include "libs/postgres/roles.h"

#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/postgres/connection.h"

namespace guilder::postgres {
namespace {

// A role is of the whole cluster; what it may do is of a database.
constexpr Statement kHasRoles{"postgres.has_roles", R"sql(
  select exists (select from pg_roles where rolname = 'guilder_partner')
         and exists (select from pg_namespace
                      where nspname = 'partner'
                        and array_to_string(nspacl, ',') like '%guilder_partner=%')
)sql"};

}  // namespace

absl::Status MakeRoles(Connection& connection) {
  return RunInTransaction(connection, [](Transaction& transaction) {
    transaction.Script(RolesScript());
    return absl::OkStatus();
  });
}

absl::Status RenewRoles(Connection& connection) {
  GUILDER_ASSIGN_OR_RETURN(
      const bool has_roles,
      RunInTransaction(connection, [](Transaction& transaction) -> absl::StatusOr<bool> {
        return transaction.Execute(kHasRoles)[0].Bool(0);
      }));
  return has_roles ? MakeRoles(connection) : absl::OkStatus();
}

std::string AsRole(const std::string& dsn, const std::string& role) {
  return absl::StrCat(dsn, " options='-c role=", role, "'");
}

}  // namespace guilder::postgres
