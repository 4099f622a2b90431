#include "libs/postgres/migrator.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

#include "libs/base/status_macros.h"
#include "libs/base/text.h"

namespace guilder::postgres {
namespace {

// Two servers that start at once would race even on `create table if not exists`. A migration's
// transaction takes it, so that a lost connection cannot leave it behind or carry on without it.
// The number is ours to choose: "guilder" on a telephone's keys.
//
// Tried, never waited for: `create index concurrently` waits for every transaction that is older
// than itself, and one that waits for the lock of the program that makes the index would be one.
constexpr Statement kTryLock{"postgres.try_lock_migrations",
                             "select pg_try_advisory_xact_lock(4845337)"};
constexpr Statement kTrySessionLock{"postgres.try_lock_migrations_in_session",
                                    "select pg_try_advisory_lock(4845337)"};
constexpr char kUnlockSession[] = "select pg_advisory_unlock(4845337)";

// A migration may take longer than a session's ordinary statements may. But whatever waits for a
// strong lock makes everybody wait who comes after it, so it gives up soon and tries again.
constexpr Statement kAllowTime{"postgres.allow_time",
                               "select set_config('statement_timeout', '0', true), "
                               "set_config('idle_in_transaction_session_timeout', '0', true), "
                               "set_config('lock_timeout', '500', true)"};
constexpr char kAllowTimeToSession[] = "set statement_timeout = 0";
constexpr char kEndAllowance[] = "reset statement_timeout";

constexpr int kMostTries = 80;
constexpr std::chrono::milliseconds kBetweenTries{250};
constexpr char kLockNotAvailable[] = "55P03";

constexpr Statement kHasTable{"postgres.has_schema_migrations",
                              "select to_regclass('public.schema_migrations') is not null"};

constexpr Statement kCreateTable{"postgres.create_schema_migrations", R"sql(
  create table public.schema_migrations (
    version int primary key,
    slug text not null,
    checksum text not null,
    applied_at_us bigint not null,
    oldest_program int not null
  )
)sql"};

// As json, because a table of an earlier program has no such column.
constexpr Statement kListApplied{"postgres.list_schema_migrations", R"sql(
  select version, slug, checksum, applied_at_us,
         coalesce((to_jsonb(m) ->> 'oldest_program')::int, version)
    from public.schema_migrations m
   order by version
)sql"};

constexpr Statement kHasOldestProgram{"postgres.has_oldest_program", R"sql(
  select exists (select from pg_attribute
                  where attrelid = 'public.schema_migrations'::regclass
                    and attname = 'oldest_program')
)sql"};

constexpr char kAddOldestProgram[] = R"sql(
  alter table public.schema_migrations add column oldest_program int;
  update public.schema_migrations set oldest_program = version;
  alter table public.schema_migrations alter column oldest_program set not null
)sql";

constexpr Statement kRecordApplied{"postgres.record_schema_migration", R"sql(
  insert into public.schema_migrations (version, slug, checksum, applied_at_us, oldest_program)
  values ($1, $2, $3, (extract(epoch from clock_timestamp()) * 1000000)::bigint, $4)
)sql"};

constexpr Statement kListPartitions{"postgres.list_partitions", R"sql(
  select c.relname
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
   where i.inhparent = to_regclass($1)
   order by c.relname
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
                       .applied_at = row.Id<Timestamp>(3),
                       .oldest_program = static_cast<int>(row.Int(4))});
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

// What is done under the lock.
enum class Turn { kNothingToDo, kLockIsTaken, kDone, kNotInATransaction };

void Record(Transaction& transaction, const Migration& migration) {
  const int oldest = migration.oldest_program > 0 ? migration.oldest_program : migration.version;
  transaction.Execute(
      kRecordApplied,
      Params().Int(migration.version).Text(migration.slug).Text(migration.checksum).Int(oldest));
}

// Applies the first one that is missing, if it is run in a transaction. `next` becomes it.
absl::StatusOr<Turn> ApplyNext(Transaction& transaction, const std::vector<Migration>& migrations,
                               const Migration*& next) {
  next = nullptr;
  transaction.Execute(kAllowTime);
  if (!transaction.Execute(kTryLock)[0].Bool(0)) return Turn::kLockIsTaken;
  if (!HasTable(transaction)) transaction.Execute(kCreateTable);
  if (!transaction.Execute(kHasOldestProgram)[0].Bool(0)) transaction.Script(kAddOldestProgram);
  const std::vector<AppliedMigration> applied = ListApplied(transaction);
  GUILDER_RETURN_IF_ERROR(CheckUnchanged(applied, migrations));
  next = FirstPending(applied, migrations);
  if (next == nullptr) return Turn::kNothingToDo;
  if (next->run != MigrationRun::kInATransaction) return Turn::kNotInATransaction;
  transaction.Script(next->up_sql);
  transaction.Script(next->verify_sql);
  Record(transaction, *next);
  return Turn::kDone;
}

// The statements of a migration, each of which ends with a semicolon at the end of a line.
std::vector<std::string> StatementsOf(const std::string& sql) {
  std::vector<std::string> statements;
  for (const absl::string_view statement : absl::StrSplit(sql, ";\n")) {
    const absl::string_view stripped = absl::StripAsciiWhitespace(statement);
    if (!stripped.empty()) statements.emplace_back(stripped);
  }
  return statements;
}

// What is run once, or once for each partition.
absl::StatusOr<std::vector<std::string>> ScriptsOf(Connection& connection,
                                                   const Migration& migration) {
  const std::string table = migration.each_partition_of;
  if (table.empty()) return std::vector<std::string>{migration.up_sql};
  return ReadInTransaction(
      connection, [&](Transaction& transaction) -> absl::StatusOr<std::vector<std::string>> {
        std::vector<std::string> scripts;
        for (const Row row : transaction.Execute(kListPartitions, Params().Text(table))) {
          scripts.push_back(
              absl::StrReplaceAll(migration.up_sql, {{"{partition}", std::string(row.Text(0))}}));
        }
        return scripts;
      });
}

absl::Status RunOneByOne(Connection& connection, const std::string& script) {
  for (const std::string& statement : StatementsOf(script)) {
    GUILDER_RETURN_IF_ERROR(ExecuteAlone(connection, statement));
  }
  return absl::OkStatus();
}

absl::Status RunInChunks(Connection& connection, const std::string& script) {
  for (int64_t changed = 1; changed > 0;) {
    GUILDER_RETURN_IF_ERROR(RunInTransaction(connection, [&](Transaction& transaction) {
      changed = transaction.Script(script).affected();
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
}

// Under the session's lock, which ends with the session.
absl::Status ApplyOutside(Connection& connection, const Migration& migration) {
  GUILDER_RETURN_IF_ERROR(ExecuteAlone(connection, kAllowTimeToSession));
  GUILDER_ASSIGN_OR_RETURN(const std::vector<std::string> scripts,
                           ScriptsOf(connection, migration));
  for (const std::string& script : scripts) {
    GUILDER_RETURN_IF_ERROR(migration.run == MigrationRun::kInChunks
                                ? RunInChunks(connection, script)
                                : RunOneByOne(connection, script));
  }
  return RunInTransaction(connection, [&](Transaction& transaction) -> absl::Status {
    // The session may have been replaced meanwhile, and another program may have the lock.
    if (!transaction.Execute(kTryLock)[0].Bool(0)) return absl::AbortedError("the lock was lost");
    transaction.Script(migration.verify_sql);
    Record(transaction, migration);
    return absl::OkStatus();
  });
}

absl::StatusOr<Turn> TakeSessionAndApply(Connection& connection, const Migration& migration) {
  GUILDER_ASSIGN_OR_RETURN(
      const bool locked,
      RunInTransaction(connection, [&](Transaction& transaction) -> absl::StatusOr<bool> {
        return transaction.Execute(kTrySessionLock)[0].Bool(0);
      }));
  if (!locked) return Turn::kLockIsTaken;
  absl::Status status = ApplyOutside(connection, migration);
  (void)ExecuteAlone(connection, kEndAllowance);
  (void)ExecuteAlone(connection, kUnlockSession);
  if (!status.ok()) return status;
  return Turn::kDone;
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
  for (int tries = 1;;) {
    const Migration* next = nullptr;
    absl::StatusOr<Turn> turn = RunInTransaction(connection, [&](Transaction& transaction) {
      return ApplyNext(transaction, migrations, next);
    });
    if (turn.ok() && *turn == Turn::kNothingToDo) return done;
    if (turn.ok() && *turn == Turn::kNotInATransaction) {
      turn = TakeSessionAndApply(connection, *next);
    }
    if (turn.ok() && *turn == Turn::kDone) {
      done.push_back(next->version);
      tries = 1;
      continue;
    }
    const bool in_the_way = turn.ok() || SqlStateOf(turn.status()) == kLockNotAvailable;
    if (!in_the_way) return At(next == nullptr ? 0 : next->version, turn.status());
    // Another program's migration may take as long as it likes.
    const bool is_locked = !turn.ok();
    if (is_locked && tries++ == kMostTries) return At(next->version, turn.status());
    std::this_thread::sleep_for(kBetweenTries);
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
  return CheckSchema(connection, min_version, max_version, BuiltInMigrations());
}

absl::Status CheckSchema(Connection& connection, int min_version, int max_version,
                         const std::vector<Migration>& migrations) {
  GUILDER_ASSIGN_OR_RETURN(const MigrationStatusReport report,
                           MigrationStatus(connection, migrations));
  const int version = report.version();
  if (version < min_version) {
    return absl::FailedPreconditionError(
        absl::StrCat("the database's schema is at version ", version, ", this program needs ",
                     min_version, " or later; run: guilder migrate up --dsn DSN"));
  }
  for (const AppliedMigration& migration : report.applied) {
    if (migration.version <= max_version || migration.oldest_program <= max_version) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        "the database's schema is at version ", version, ", this program knows versions up to ",
        max_version, ", and version ", migration.version, " needs programs that know ",
        migration.oldest_program, "; run a newer release of it"));
  }
  return absl::OkStatus();
}

}  // namespace guilder::postgres
