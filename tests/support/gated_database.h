// A test's database, with a gate before it.
#pragma once

#include <string>

#include "tests/support/database.h"
#include "tests/support/tcp_gate.h"

namespace guilder::testing {

// The server must have a unix socket that this process can reach.
class GatedDatabase {
 public:
  explicit GatedDatabase(const TestDatabase& database);

  TcpGate& gate() { return gate_; }
  // Through the gate.
  const std::string& dsn() const { return dsn_; }

 private:
  TcpGate gate_;
  const std::string dsn_;
};

}  // namespace guilder::testing
