#include "libs/postgres/migrator.h"

#include <string>
#include <thread>
#include <vector>

#include "tests/support/catch2.h"
#include "tests/support/database.h"

namespace guilder::postgres {
namespace {

using testing::TestDatabase;

const Migration kFirst{1, "first", "c1", "create table a (x int); create table b (x int);",
                       "select 1 from a, b"};
const Migration kSecond{2, "second", "c2", "alter table a add y int", "select y from a"};

bool Contains(const absl::Status& status, const std::string& text) {
  return std::string(status.message()).find(text) != std::string::npos;
}

TEST_CASE("MigrateUp: applies what is missing, once", "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  Connection connection = db.Connect();

  const auto before = MigrationStatus(connection, {kFirst, kSecond});
  const auto first = MigrateUp(connection, {kFirst});
  const auto second = MigrateUp(connection, {kFirst, kSecond});
  const auto third = MigrateUp(connection, {kFirst, kSecond});
  const auto after = MigrationStatus(connection, {kFirst, kSecond});

  REQUIRE(before.ok());
  CHECK(before->version() == 0);
  CHECK(before->pending.size() == 2);
  REQUIRE(first.ok());
  CHECK(*first == std::vector<int>{1});
  REQUIRE(second.ok());
  CHECK(*second == std::vector<int>{2});
  REQUIRE(third.ok());
  CHECK(third->empty());
  REQUIRE(after.ok());
  CHECK(after->version() == 2);
  CHECK(after->pending.empty());
  CHECK(after->applied[1].slug == "second");
  CHECK(after->applied[1].applied_at > Timestamp(1'600'000'000'000'000));
}

TEST_CASE("MigrateUp: a migration that fails its verification is undone", "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  Connection connection = db.Connect();
  const Migration wrong{2, "wrong", "c2", "create table c (x int)", "select no_such_column from c"};

  const auto result = MigrateUp(connection, {kFirst, wrong});

  CHECK(Contains(result.status(), "migration 2 failed"));
  CHECK(SqlStateOf(result.status()) == "42703");
  CHECK(MigrationStatus(connection, {kFirst})->version() == 1);
  CHECK(db.Query("select to_regclass('c') is null")[0].Bool(0));
}

TEST_CASE("MigrateUp: an applied migration that changed is refused", "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  Connection connection = db.Connect();
  REQUIRE(MigrateUp(connection, {kFirst}).ok());
  Migration changed = kFirst;
  changed.checksum = "other";

  const auto result = MigrateUp(connection, {changed, kSecond});

  CHECK(result.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(Contains(result.status(), "migration 1 (first) was changed after it was applied"));
  CHECK(MigrationStatus(connection, {kFirst, kSecond})->version() == 1);
}

TEST_CASE("MigrateUp: several programs at once apply each migration once", "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  std::vector<absl::StatusOr<std::vector<int>>> results(4, std::vector<int>{});
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] {
      Connection connection = db.Connect();
      result = MigrateUp(connection, {kFirst, kSecond});
    });
  }
  for (std::thread& thread : threads) thread.join();

  size_t applied = 0;
  for (const auto& result : results) {
    REQUIRE(result.ok());
    applied += result->size();
  }
  CHECK(applied == 2);
}

Migration OneByOne(int version, const char* sql, const char* verify) {
  Migration migration{version, "indexes", "c", sql, verify};
  migration.run = MigrationRun::kOneByOne;
  return migration;
}

TEST_CASE("MigrateUp: statements that a transaction cannot hold are run one by one, and repeated",
          "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  Connection connection = db.Connect();
  db.Query("create table t (x int); insert into t values (1), (1)");
  // The first time the index cannot be made, which leaves an invalid one.
  const Migration indexes = OneByOne(1,
                                     "-- An index.\n"
                                     "drop index concurrently if exists t_idx;\n"
                                     "create unique index concurrently t_idx on t (x);\n",
                                     "select 1 / (select count(*) from pg_index where indisvalid "
                                     "and indexrelid = 't_idx'::regclass)");

  const auto first = MigrateUp(connection, {indexes});
  const bool left_behind = db.Query("select to_regclass('t_idx') is not null")[0].Bool(0);
  db.Query("delete from t");
  const auto second = MigrateUp(connection, {indexes});

  CHECK(SqlStateOf(first.status()) == "23505");
  CHECK(left_behind);
  REQUIRE(second.ok());
  CHECK(MigrationStatus(connection, {indexes})->version() == 1);
  CHECK(db.Query("select current_setting('statement_timeout')").size() == 1);
}

TEST_CASE("MigrateUp: each partition gets its index, and the table then takes them over",
          "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  Connection connection = db.Connect();
  db.Query(
      "create schema s; create table s.t (x int) partition by range (x); "
      "create table s.t_1 partition of s.t for values from (0) to (10); "
      "create table s.t_default partition of s.t default");
  Migration partitions =
      OneByOne(1,
               "drop index concurrently if exists s.{partition}_x_idx;\n"
               "create index concurrently {partition}_x_idx on s.{partition} (x);\n",
               "select 's.t_1_x_idx'::regclass, 's.t_default_x_idx'::regclass");
  partitions.each_partition_of = "s.t";
  const Migration whole{2, "whole", "c", "create index t_x_idx on s.t (x)",
                        "select 's.t_x_idx'::regclass"};

  const auto applied = MigrateUp(connection, {partitions, whole});

  REQUIRE(applied.ok());
  CHECK(db.Query("select from pg_inherits where inhparent = 's.t_x_idx'::regclass").size() == 2);
  CHECK(db.Query("select from pg_class where relkind = 'i' and relname like 't\\_%'").size() == 2);
}

TEST_CASE("MigrateUp: rows are filled in chunks until none is left", "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  Connection connection = db.Connect();
  db.Query("create table t (x int, y int); insert into t select i from generate_series(1, 25) i");
  Migration fill{1, "fill", "c",
                 "update t set y = x where ctid in (select ctid from t where y is null limit 10)",
                 "select 1 / (1 - least(count(*), 1)) from t where y is null"};
  fill.run = MigrationRun::kInChunks;

  REQUIRE(MigrateUp(connection, {fill}).ok());

  CHECK(db.Query("select count(*) from t where x = y")[0].Int(0) == 25);
  // Three transactions changed rows.
  CHECK(db.Query("select count(distinct xmin::text) from t")[0].Int(0) == 3);
}

// Goal: a migration that cannot have its lock lets those pass who come after it. Method: a
// transaction holds the table while the migration tries, and another one reads it meanwhile.
TEST_CASE("MigrateUp: who waits for a lock does not keep others waiting, and gets it later",
          "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  db.Query("create table a (x int); create table b (x int)");
  absl::StatusOr<std::vector<int>> applied = std::vector<int>{};
  std::thread migrating;
  Connection holder = db.Connect();
  const absl::Status held = RunInTransaction(holder, [&](Transaction& transaction) {
    transaction.Script("select from a");
    migrating = std::thread([&] {
      Connection connection = db.Connect();
      applied = MigrateUp(connection, {kSecond});
    });
    db.AwaitRow("select from pg_locks where relation = 'a'::regclass and not granted");
    Connection reader = db.Connect({.lock_timeout = std::chrono::milliseconds(2'000)});
    return RunInTransaction(reader, [&](Transaction& reading) {
      reading.Script("select from a");
      return absl::OkStatus();
    });
  });
  migrating.join();

  CHECK(held.ok());
  REQUIRE(applied.ok());
  CHECK(*applied == std::vector<int>{2});
}

TEST_CASE("CheckSchema: a program works on newer schemas whose migrations say that it may",
          "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  Connection connection = db.Connect();
  Migration expands = kSecond;
  expands.oldest_program = 1;
  const Migration contracts{3, "third", "c3", "alter table a drop x", "select 1"};

  REQUIRE(MigrateUp(connection, {kFirst}).ok());
  const absl::Status same = CheckSchema(connection, 1, 1, {kFirst});
  REQUIRE(MigrateUp(connection, {kFirst, expands}).ok());
  const absl::Status expanded = CheckSchema(connection, 1, 1, {kFirst});
  REQUIRE(MigrateUp(connection, {kFirst, expands, contracts}).ok());
  const absl::Status contracted = CheckSchema(connection, 1, 1, {kFirst});
  const absl::Status newest = CheckSchema(connection, 3, 3, {kFirst, expands, contracts});

  CHECK(same.ok());
  CHECK(expanded.ok());
  CHECK(Contains(contracted, "version 3 needs programs that know 3; run a newer release"));
  CHECK(newest.ok());
}

TEST_CASE("MigrateUp: a table of migrations from before there were older programs gets its column",
          "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  Connection connection = db.Connect();
  db.Query(
      "create table a (x int); create table public.schema_migrations (version int primary key, "
      "slug text not null, checksum text not null, applied_at_us bigint not null); "
      "insert into public.schema_migrations values (1, 'first', 'c1', 0)");

  const absl::Status before = CheckSchema(connection, 1, 1, {kFirst});
  const absl::Status older = CheckSchema(connection, 0, 0, {});
  const auto applied = MigrateUp(connection, {kFirst, kSecond});

  CHECK(before.ok());
  CHECK(Contains(older, "run a newer release"));
  REQUIRE(applied.ok());
  CHECK(*applied == std::vector<int>{2});
  CHECK(MigrationStatus(connection, {kFirst, kSecond})->applied[0].oldest_program == 1);
}

TEST_CASE("CheckSchema: says what to run on an older or a newer schema", "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  Connection connection = db.Connect();

  const absl::Status empty = CheckSchema(connection, 1, 2);
  REQUIRE(MigrateUp(connection).ok());
  const absl::Status fits = CheckSchema(connection, 1, LatestVersion());
  const absl::Status newer = CheckSchema(connection, 0, 1);

  CHECK(empty.code() == absl::StatusCode::kFailedPrecondition);
  CHECK(Contains(empty, "guilder migrate up --dsn"));
  CHECK(fits.ok());
  CHECK(Contains(newer, "run a newer release"));
}

TEST_CASE("Migrations: those of the product lead an empty database to the latest version",
          "[store][postgres]") {
  const TestDatabase db;
  Connection connection = db.Connect();

  const auto report = MigrationStatus(connection);

  REQUIRE(report.ok());
  CHECK(report->version() == LatestVersion());
  CHECK(report->pending.empty());
}

}  // namespace
}  // namespace guilder::postgres
