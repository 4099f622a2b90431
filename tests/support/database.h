// A fresh, migrated database for a test.
#pragma once

#include <string>

#include "libs/postgres/connection.h"

namespace guilder::testing {

// A database of its own, cloned from a template that is migrated once, and dropped at the end.
//
// The server is the one that the environment variable GUILDER_TEST_DSN names, or else a private
// cluster that this process starts when it first needs one and stops at exit. Any failure throws: a
// test cannot go on without.
class TestDatabase {
 public:
  enum class Schema { kMigrated, kEmpty };

  explicit TestDatabase(Schema schema = Schema::kMigrated);
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& dsn() const { return dsn_; }
  const std::string& name() const { return name_; }
  // A new session.
  postgres::Connection Connect(const postgres::SessionSettings& settings = {}) const;
  // Runs SQL in a transaction of its own, on a session of its own.
  postgres::Rows Query(const std::string& sql) const;
  // Returns when the query gives a row. Asks over one session: one for each question would soon be
  // more than the server takes, since they end a moment after they are closed.
  void AwaitRow(const std::string& sql) const;

 private:
  std::string name_;
  std::string dsn_;
};

}  // namespace guilder::testing
