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

TEST_CASE("CheckSchema: says what to run on an older or a newer schema", "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  Connection connection = db.Connect();

  const absl::Status empty = CheckSchema(connection, 1, 2);
  REQUIRE(MigrateUp(connection).ok());
  const absl::Status fits = CheckSchema(connection, 1, LatestVersion());
  const absl::Status newer = CheckSchema(connection, 0, LatestVersion() - 1);

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
