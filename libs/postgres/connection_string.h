// What a session asks of libpq. Not for use outside this library.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "libs/postgres/connection.h"

namespace guilder::postgres::internal {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// The dsn, a connection string or a postgresql:// URI, with the settings that belong to the
// connection; what the dsn itself says wins.
std::string ConnectionString(const std::string& dsn, const SessionSettings& settings);

}  // namespace guilder::postgres::internal
