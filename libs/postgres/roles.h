// One database role for each service (deploy/roles/roles.sql).
#pragma once

#include <string>

#include "absl/status/status.h"

namespace guilder::postgres {

class Connection;

// Makes the roles that are missing, and gives each what it needs of the schema as it is now. May be
// repeated while services run. The connection's user owns the schema and may create roles.
absl::Status MakeRoles(Connection& connection);

// Does so again where it was done before, in this database: after a migration.
absl::Status RenewRoles(Connection& connection);

// The dsn, a keyword=value string, for sessions that take on that role as they begin.
std::string AsRole(const std::string& dsn, const std::string& role);

// deploy/roles/roles.sql.
std::string RolesScript();

}  // namespace guilder::postgres
