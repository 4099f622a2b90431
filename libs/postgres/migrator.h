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

// How a migration's statements are run.
enum class MigrationRun {
  // All of them, and the verification, in one transaction. Waits half a second at most for a lock,
  // because whoever comes after it waits as well; then it is rolled back and tried again.
  kInATransaction,
  // One after the other, each outside of any transaction: `create index concurrently`. Repeated
  // from
  // the start after a failure, so they must be such that this does no harm.
  kOneByOne,
  // One statement, again and again in transactions of its own, until it changes no row: for filling
  // a column, some thousand rows at a time.
  kInChunks,
};

// deploy/migrations/0001_ledger/{up.sql,verify.sql} is {1, "ledger", …}. The README there says how
// one is written.
struct Migration {
  int version;
  const char* slug;
  // SHA-256 of up.sql, in hexadecimal.
  const char* checksum;
  const char* up_sql;
  // Run after up_sql, in the same transaction where it has one: raises when up_sql did not do what
  // it should.
  const char* verify_sql;
  MigrationRun run = MigrationRun::kInATransaction;
  // The oldest program that goes on working on the schema that this leads to, by the last version
  // that it knows; 0 for none but those that know this one.
  int oldest_program = 0;
  // A partitioned table, each of whose partitions up_sql is run for, with `{partition}` as its
  // name; empty for none.
  const char* each_partition_of = "";
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
  // As in Migration, but never 0.
  int oldest_program = 0;
};

struct MigrationStatusReport {
  std::vector<AppliedMigration> applied;
  std::vector<Migration> pending;
  // The last version applied; 0 for an empty database.
  int version() const { return applied.empty() ? 0 : applied.back().version; }
};

// Applies what is missing, one migration after the other, under an advisory lock, so any number of
// programs may do this at once, while others go on reading and writing. Returns the versions that
// this call applied. Fails when one raises, when a lock is not to be had for a minute, or when an
// applied one has changed since. A failing migration is undone; what is not run in a transaction is
// finished by the next call.
absl::StatusOr<std::vector<int>> MigrateUp(Connection& connection);
absl::StatusOr<std::vector<int>> MigrateUp(Connection& connection,
                                           const std::vector<Migration>& migrations);

absl::StatusOr<MigrationStatusReport> MigrationStatus(Connection& connection);
absl::StatusOr<MigrationStatusReport> MigrationStatus(Connection& connection,
                                                      const std::vector<Migration>& migrations);

// OK when this program, whose migrations go from `min_version` to `max_version`, can work on the
// schema: it is at `min_version` at least, and every migration that this program does not know says
// that programs of `max_version` go on working. Otherwise FAILED_PRECONDITION with a sentence that
// says what to run. A service calls this before it serves.
absl::Status CheckSchema(Connection& connection, int min_version, int max_version);
absl::Status CheckSchema(Connection& connection, int min_version, int max_version,
                         const std::vector<Migration>& migrations);

}  // namespace guilder::postgres
