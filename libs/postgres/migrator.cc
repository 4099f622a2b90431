#include "libs/postgres/migrator.h"

#include <algorithm>
#include <set>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"

namespace guilder::postgres {
namespace {

// Two servers that start at once would race even on `create table if not exists`. Held until the
// end of each migration's transaction, so a lost connection cannot leave it behind or carry on
// without it. The number is ours to choose: "guilder" on a telephone's keys.
constexpr Statement kLockMigrations{"postgres.lock_migrations",
                                    "select pg_advisory_xact_lock(4845337)"};

// A migration may take longer than a session's ordinary statements may.
constexpr Statement kAllowTime{"postgres.allow_time",
                               "select set_config('statement_timeout', '0', true), "
                               "set_config('idle_in_transaction_session_timeout', '0', true)"};

constexpr Statement kHasTable{"postgres.has_schema_migrations",
                              "select to_regclass('public.schema_migrations') is not null"};

constexpr Statement kCreateTable{"postgres.create_schema_migrations", R"sql(
  create table public.schema_migrations (
    version int primary key,
    slug text not null,
    checksum text not null,
    applied_at_us bigint not null
  )
)sql"};

constexpr Statement kListApplied{"postgres.list_schema_migrations", R"sql(
  select version, slug, checksum, applied_at_us
    from public.schema_migrations
   order by version
)sql"};

constexpr Statement kRecordApplied{"postgres.record_schema_migration", R"sql(
  insert into public.schema_migrations (version, slug, checksum, applied_at_us)
  values ($1, $2, $3, (extract(epoch from clock_timestamp()) * 1000000)::bigint)
)sql"};

bool HasTable(Transaction& transaction) {
  return transaction.Execute(kHasTable)[0].Bool(0);
}

std::vector<AppliedMigration> ListApplied(Transaction& transaction) {
  std::vector<AppliedMigration> applied;
  for (const Row row : transaction.Execute(kListApplied)) {
    applied.push_back({.version = static_cast<int>(row.Int(0)),
                       .slug = std::string(row.Text(1)),
                       .checksum = std::string(row.Text(2)),
                       .applied_at = row.Id<Timestamp>(3)});
  }
  return applied;
}

// An applied migration that this program knows must be the one that it knows.
absl::Status CheckUnchanged(const std::vector<AppliedMigration>& applied,
                            const std::vector<Migration>& migrations) {
  for (const Migration& migration : migrations) {
    const auto found = std::find_if(applied.begin(), applied.end(), [&](const auto& candidate) {
      return candidate.version == migration.version;
    });
    if (found == applied.end() || found->checksum == migration.checksum) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("migration ", migration.version, " (", migration.slug,
                     ") was changed after it was applied: ", "the database has checksum ",
                     found->checksum.substr(0, 12), ", this program has ",
                     std::string(migration.checksum).substr(0, 12),
                     "; use the program that applied it, or write a new migration"));
  }
  return absl::OkStatus();
}

const Migration* FirstPending(const std::vector<AppliedMigration>& applied,
                              const std::vector<Migration>& migrations) {
  std::set<int> versions;
  for (const AppliedMigration& migration : applied) versions.insert(migration.version);
  for (const Migration& migration : migrations) {
    if (!versions.contains(migration.version)) return &migration;
  }
  return nullptr;
}

// Applies the first one that is missing. `attempted` becomes its version, or 0 when none was.
absl::Status ApplyNext(Transaction& transaction, const std::vector<Migration>& migrations,
                       int& attempted) {
  attempted = 0;
  transaction.Execute(kAllowTime);
  transaction.Execute(kLockMigrations);
  if (!HasTable(transaction)) transaction.Execute(kCreateTable);
  const std::vector<AppliedMigration> applied = ListApplied(transaction);
  GUILDER_RETURN_IF_ERROR(CheckUnchanged(applied, migrations));
  const Migration* const next = FirstPending(applied, migrations);
  if (next == nullptr) return absl::OkStatus();
  attempted = next->version;
  transaction.Script(next->up_sql);
  transaction.Script(next->verify_sql);
  transaction.Execute(kRecordApplied,
                      Params().Int(next->version).Text(next->slug).Text(next->checksum));
  return absl::OkStatus();
}

// The same status, saying where it happened.
absl::Status At(int version, const absl::Status& status) {
  if (version == 0) return status;
  absl::Status told(status.code(),
                    absl::StrCat("migration ", version, " failed: ", status.message()));
  status.ForEachPayload(
      [&](auto url, const absl::Cord& payload) { told.SetPayload(url, payload); });
  return told;
}

}  // namespace

int LatestVersion() {
  return BuiltInMigrations().empty() ? 0 : BuiltInMigrations().back().version;
}

absl::StatusOr<std::vector<int>> MigrateUp(Connection& connection) {
  return MigrateUp(connection, BuiltInMigrations());
}

absl::StatusOr<std::vector<int>> MigrateUp(Connection& connection,
                                           const std::vector<Migration>& migrations) {
  std::vector<int> done;
  while (true) {
    int attempted = 0;
    const absl::Status status = RunInTransaction(connection, [&](Transaction& transaction) {
      return ApplyNext(transaction, migrations, attempted);
    });
    if (!status.ok()) return At(attempted, status);
    if (attempted == 0) return done;
    done.push_back(attempted);
  }
}

absl::StatusOr<MigrationStatusReport> MigrationStatus(Connection& connection) {
  return MigrationStatus(connection, BuiltInMigrations());
}

absl::StatusOr<MigrationStatusReport> MigrationStatus(Connection& connection,
                                                      const std::vector<Migration>& migrations) {
  return ReadInTransaction(
      connection, [&](Transaction& transaction) -> absl::StatusOr<MigrationStatusReport> {
        MigrationStatusReport report;
        if (HasTable(transaction)) report.applied = ListApplied(transaction);
        GUILDER_RETURN_IF_ERROR(CheckUnchanged(report.applied, migrations));
        for (const Migration& migration : migrations) {
          const bool is_applied = std::any_of(
              report.applied.begin(), report.applied.end(),
              [&](const auto& applied) { return applied.version == migration.version; });
          if (!is_applied) report.pending.push_back(migration);
        }
        return report;
      });
}

absl::Status CheckSchema(Connection& connection, int min_version, int max_version) {
  GUILDER_ASSIGN_OR_RETURN(const MigrationStatusReport report, MigrationStatus(connection));
  const int version = report.version();
  if (version < min_version) {
    return absl::FailedPreconditionError(
        absl::StrCat("the database's schema is at version ", version, ", this program needs ",
                     min_version, " or later; run: guilder migrate up --dsn DSN"));
  }
  if (version > max_version) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the database's schema is at version ", version, ", this program knows versions up to ",
        max_version, "; run a newer release of it"));
  }
  return absl::OkStatus();
}

}  // namespace guilder::postgres
