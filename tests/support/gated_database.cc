#include "tests/support/gated_database.h"

#include "absl/strings/str_cat.h"

namespace guilder::testing {
namespace {

std::string SocketOf(const TestDatabase& database) {
  const postgres::Rows rows = database.Query(
      "select split_part(current_setting('unix_socket_directories'), ',', 1) || '/.s.PGSQL.' || "
      "current_setting('port')");
  return std::string(rows[0].Text(0));
}

std::string DsnThrough(const TcpGate& gate, const TestDatabase& database) {
  const postgres::Rows rows = database.Query("select current_user");
  return absl::StrCat("host=127.0.0.1 port=", gate.port(), " user='", std::string(rows[0].Text(0)),
                      "' dbname='", database.name(), "' sslmode=disable gssencmode=disable");
}

}  // namespace

GatedDatabase::GatedDatabase(const TestDatabase& database)
    : gate_(SocketOf(database)), dsn_(DsnThrough(gate_, database)) {}

}  // namespace guilder::testing
