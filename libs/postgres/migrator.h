// Brings a database's schema forward. The migrations of deploy/migrations are compiled into the
// library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/postgres/connection.h"

namespace guilder::postgres {

// deploy/migrations/0001_ledger/{up.sql,verify.sql} is {1, "ledger", …}.
struct Migration {
  int version;
  const char* slug;
  // SHA-256 of up.sql, in hexadecimal.
  const char* checksum;
  const char* up_sql;
  // Run after up_sql in the same transaction: raises when up_sql did not do what it should.
  const char* verify_sql;
};

// In the order of their versions.
const std::vector<Migration>& BuiltInMigrations();
// One digest, in hexadecimal, of all of them.
std::string MigrationsChecksum();
// The version that this program's migrations lead to.
int LatestVersion();

struct AppliedMigration {
  int version;
  std::string slug;
  std::string checksum;
  Timestamp applied_at;
};

struct MigrationStatusReport {
  std::vector<AppliedMigration> applied;
  std::vector<Migration> pending;
  // The last version applied; 0 for an empty database.
  int version() const { return applied.empty() ? 0 : applied.back().version; }
};

// Applies what is missing, each migration in its own transaction, under an advisory lock, so any
// number of programs may do this at once. Returns the versions that this call applied. Fails, and
// leaves the failing migration undone, when one raises or when an applied one has changed since.
absl::StatusOr<std::vector<int>> MigrateUp(Connection& connection);
absl::StatusOr<std::vector<int>> MigrateUp(Connection& connection,
                                           const std::vector<Migration>& migrations);

absl::StatusOr<MigrationStatusReport> MigrationStatus(Connection& connection);
absl::StatusOr<MigrationStatusReport> MigrationStatus(Connection& connection,
                                                      const std::vector<Migration>& migrations);

// OK when the schema's version is in [min_version, max_version]; otherwise FAILED_PRECONDITION with
// a sentence that says what to run. A service calls this before it serves.
absl::Status CheckSchema(Connection& connection, int min_version, int max_version);

}  // namespace guilder::postgres
