#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/reason.h"
#include "libs/postgres/connection.h"
#include "libs/postgres/pool.h"
#include "tests/support/catch2.h"
#include "tests/support/database.h"

namespace guilder::postgres {
namespace {

using namespace std::string_literals;
using testing::TestDatabase;

constexpr Statement kInsert{"test.insert", "insert into t (id, note) values ($1, $2)"};
constexpr Statement kCount{"test.count", "select count(*) from t"};
constexpr Statement kBackend{"test.backend", "select pg_backend_pid()"};
constexpr Statement kKill{"test.kill", "select pg_terminate_backend($1::int, 5000)"};
constexpr Statement kSleep{"test.sleep", "select pg_sleep(5)"};

struct Fixture {
  TestDatabase db{TestDatabase::Schema::kEmpty};
  Connection connection = db.Connect();

  Fixture() { db.Query("create table t (id bigint primary key, note text)"); }

  int64_t Count() { return db.Query("select count(*) from t")[0].Int(0); }

  absl::Status Insert(int64_t id, const std::string& note = "x") {
    return RunInTransaction(connection, [&](Transaction& t) {
      t.Execute(kInsert, Params().Int(id).Text(note));
      return absl::OkStatus();
    });
  }
};

absl::StatusOr<int64_t> BackendOf(Transaction& t) {
  return t.Execute(kBackend)[0].Int(0);
}

// Ends a session and waits until it is gone.
void Kill(const TestDatabase& db, int64_t backend) {
  Connection other = db.Connect();
  const absl::Status status = RunInTransaction(other, [&](Transaction& t) {
    t.Execute(kKill, Params().Int(backend));
    return absl::OkStatus();
  });
  REQUIRE(status.ok());
}

TEST_CASE("RunInTransaction: OK commits, anything else rolls back", "[store][postgres]") {
  Fixture f;

  CHECK(f.Insert(1).ok());
  const absl::Status refused = RunInTransaction(f.connection, [](Transaction& t) {
    t.Execute(kInsert, Params().Int(2).Null());
    return Refuse(Reason::kCardNotFound);
  });
  const auto value =
      RunInTransaction(f.connection, [](Transaction& t) -> absl::StatusOr<std::string> {
        CHECK(t.Execute(kInsert, Params().Int(3).Null()).affected() == 1);
        return "three"s;
      });

  CHECK(ReasonOf(refused) == Reason::kCardNotFound);
  REQUIRE(value.ok());
  CHECK(*value == "three");
  CHECK(f.Count() == 2);
}

TEST_CASE("RunInTransaction: a mistake in values tells its SQLSTATE", "[store][postgres]") {
  Fixture f;
  REQUIRE(f.Insert(1).ok());

  const absl::Status unique = f.Insert(1);
  const absl::Status nul = f.Insert(2, "a\0b"s);
  const absl::Status encoding = f.Insert(2, "\xff");

  CHECK(SqlStateOf(unique) == "23505");
  CHECK(IsUniqueViolation(unique));
  CHECK(IsCausedByValues(unique));
  // The key's value stays out of messages, which are logged.
  CHECK(std::string(unique.message()).find("DETAIL") == std::string::npos);
  CHECK(SqlStateOf(nul) == "22021");
  CHECK(std::string(nul.message()).find("parameter $2 of test.insert") != std::string::npos);
  CHECK(SqlStateOf(encoding) == "22021");
  CHECK(f.Insert(3).ok());
  CHECK(f.Count() == 2);
}

TEST_CASE("RunInTransaction: our own mistakes are INTERNAL", "[store][postgres]") {
  Fixture f;
  const auto run = [&](auto body) { return RunInTransaction(f.connection, body); };

  const absl::Status table = run([](Transaction& t) {
    t.Execute({"test.no_table", "select 1 from no_such_table"});
    return absl::OkStatus();
  });
  const absl::Status column = run([](Transaction& t) {
    t.Execute(kCount)[0].Int(1);
    return absl::OkStatus();
  });
  const absl::Status name = run([](Transaction& t) {
    t.Execute({"test.count", "select 2"});
    return absl::OkStatus();
  });

  CHECK(table.code() == absl::StatusCode::kInternal);
  CHECK(SqlStateOf(table) == "42P01");
  CHECK(column.code() == absl::StatusCode::kInternal);
  CHECK(SqlStateOf(column).empty());
  CHECK(std::string(name.message()).find("two statements are called test.count") !=
        std::string::npos);
  CHECK(f.Insert(1).ok());
}

TEST_CASE("RunInTransaction: a statement that failed to prepare can be repeated",
          "[store][postgres]") {
  Fixture f;
  const Statement late{"test.late", "select count(*) from late"};
  const auto ask = [&] {
    return RunInTransaction(f.connection, [&](Transaction& t) -> absl::StatusOr<int64_t> {
      return t.Execute(late)[0].Int(0);
    });
  };

  CHECK(SqlStateOf(ask().status()) == "42P01");
  f.db.Query("create table late (x int)");
  CHECK(ask().ok());
}

TEST_CASE("RunInTransaction: a timeout is the store's failure", "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  Connection connection = db.Connect({.statement_timeout = std::chrono::milliseconds(50)});

  const absl::Status status = RunInTransaction(connection, [](Transaction& t) {
    t.Execute(kSleep);
    return absl::OkStatus();
  });

  CHECK(ReasonOf(status) == Reason::kStoreUnavailable);
  CHECK(SqlStateOf(status) == "57014");
  CHECK_FALSE(IsOutcomeUnknown(status));
  CHECK_FALSE(IsRetryable(status));
  CHECK(connection.is_open());
}

TEST_CASE("RunInTransaction: of two that deadlock, one is told to retry", "[store][postgres]") {
  Fixture f;
  REQUIRE(f.Insert(1).ok());
  REQUIRE(f.Insert(2).ok());
  std::atomic<int> holding = 0;
  const auto lock_both = [&](int64_t first, int64_t second) {
    Connection connection = f.db.Connect({.parameters = {{"deadlock_timeout", "10ms"}}});
    return RunInTransaction(connection, [&](Transaction& t) {
      constexpr Statement kLock{"test.lock", "select 1 from t where id = $1 for update"};
      t.Execute(kLock, Params().Int(first));
      ++holding;
      while (holding < 2) std::this_thread::yield();
      t.Execute(kLock, Params().Int(second));
      return absl::OkStatus();
    });
  };

  absl::Status other;
  std::thread thread([&] { other = lock_both(2, 1); });
  const absl::Status one = lock_both(1, 2);
  thread.join();

  const absl::Status& loser = one.ok() ? other : one;
  CHECK(one.ok() != other.ok());
  CHECK(IsRetryable(loser));
  CHECK(SqlStateOf(loser) == "40P01");
  CHECK(ReasonOf(loser) == Reason::kStoreUnavailable);
}

TEST_CASE("RunInTransaction: a lock that is not available is told to retry", "[store][postgres]") {
  Fixture f;
  REQUIRE(f.Insert(1).ok());
  constexpr Statement kLock{"test.lock", "select 1 from t where id = 1 for update"};
  Connection other = f.db.Connect({.lock_timeout = std::chrono::milliseconds(20)});

  absl::Status refused;
  const absl::Status holder = RunInTransaction(f.connection, [&](Transaction& t) {
    t.Execute(kLock);
    refused = RunInTransaction(other, [&](Transaction& inner) {
      inner.Execute(kLock);
      return absl::OkStatus();
    });
    return absl::OkStatus();
  });

  CHECK(holder.ok());
  CHECK(SqlStateOf(refused) == "55P03");
  CHECK(IsRetryable(refused));
}

TEST_CASE("RunInTransaction: a session that died while idle is replaced unnoticed",
          "[store][postgres]") {
  Fixture f;
  const auto first = RunInTransaction(f.connection, BackendOf);
  REQUIRE(first.ok());
  REQUIRE(f.Insert(1).ok());
  Kill(f.db, *first);
  int runs = 0;

  const auto second = RunInTransaction(f.connection, [&](Transaction& t) {
    ++runs;
    return BackendOf(t);
  });

  REQUIRE(second.ok());
  CHECK(*second != *first);
  CHECK(runs == 1);
  // The new session knows no statement of the old one.
  CHECK(f.Insert(2).ok());
}

TEST_CASE("RunInTransaction: a session lost in the middle fails once, and heals",
          "[store][postgres]") {
  Fixture f;
  int runs = 0;
  const absl::Status lost = RunInTransaction(f.connection, [&](Transaction& t) {
    ++runs;
    t.Execute(kInsert, Params().Int(1).Null());
    Kill(f.db, *BackendOf(t));
    t.Execute(kInsert, Params().Int(2).Null());
    return absl::OkStatus();
  });

  CHECK(ReasonOf(lost) == Reason::kStoreUnavailable);
  CHECK_FALSE(IsOutcomeUnknown(lost));
  CHECK(runs == 1);
  CHECK(f.Count() == 0);
  CHECK(f.Insert(1).ok());
}

TEST_CASE("RunInTransaction: a session lost at the commit leaves the outcome unknown",
          "[store][postgres]") {
  Fixture f;
  const absl::Status status = RunInTransaction(f.connection, [&](Transaction& t) {
    t.Execute(kInsert, Params().Int(1).Null());
    Kill(f.db, *BackendOf(t));
    return absl::OkStatus();
  });

  CHECK(ReasonOf(status) == Reason::kStoreUnavailable);
  CHECK(IsOutcomeUnknown(status));
  CHECK(f.Count() == 0);
}

TEST_CASE("RunInTransaction: whoever idles in a transaction loses it", "[store][postgres]") {
  Fixture f;
  Connection connection =
      f.db.Connect({.idle_in_transaction_timeout = std::chrono::milliseconds(20)});
  Connection watcher = f.db.Connect();
  const auto is_there = [&](int64_t backend) {
    constexpr Statement kThere{"test.there",
                               "select exists(select from pg_stat_activity where pid = $1)"};
    return *RunInTransaction(watcher, [&](Transaction& t) -> absl::StatusOr<bool> {
      return t.Execute(kThere, Params().Int(backend))[0].Bool(0);
    });
  };

  const absl::Status status = RunInTransaction(connection, [&](Transaction& t) {
    const int64_t backend = *BackendOf(t);
    while (is_there(backend)) std::this_thread::yield();
    t.Execute(kInsert, Params().Int(1).Null());
    return absl::OkStatus();
  });

  CHECK(ReasonOf(status) == Reason::kStoreUnavailable);
}

TEST_CASE("RunInTransaction: a deferred constraint fails at the commit, with a known outcome",
          "[store][postgres]") {
  Fixture f;
  f.db.Query("create table child (id bigint references t deferrable initially deferred);");
  const absl::Status status = RunInTransaction(f.connection, [](Transaction& t) {
    t.Script("insert into child values (99)");
    return absl::OkStatus();
  });

  CHECK(SqlStateOf(status) == "23503");
  CHECK_FALSE(IsOutcomeUnknown(status));
}

TEST_CASE("ReadInTransaction: cannot write", "[store][postgres]") {
  Fixture f;
  const absl::Status status = ReadInTransaction(f.connection, [](Transaction& t) {
    t.Execute(kInsert, Params().Int(1).Null());
    return absl::OkStatus();
  });

  CHECK(SqlStateOf(status) == "25006");
  CHECK(f.Count() == 0);
}

TEST_CASE("Connection: nobody there is the store's failure", "[store][postgres]") {
  const auto connection = Connection::Open("host=/nonexistent dbname=x");

  CHECK(ReasonOf(connection.status()) == Reason::kStoreUnavailable);
}

TEST_CASE("Connection: the dsn wins over the settings", "[store][postgres]") {
  const TestDatabase db(TestDatabase::Schema::kEmpty);
  auto connection =
      Connection::Open(db.dsn() + " application_name=theirs", {.application_name = "it's \\ ours"});
  REQUIRE(connection.ok());
  Connection plain = db.Connect({.application_name = "it's \\ ours"});
  const auto name = [](Transaction& t) -> absl::StatusOr<std::string> {
    return std::string(t.Script("show application_name")[0].Text(0));
  };

  CHECK(*RunInTransaction(*connection, name) == "theirs");
  CHECK(*RunInTransaction(plain, name) == "it's \\ ours");
}

TEST_CASE("Pool: calls beyond its size wait, and are refused at their deadline",
          "[store][postgres]") {
  Fixture f;
  Pool pool(f.db.dsn(), 1);

  absl::Status refused;
  const absl::Status outer = pool.Run([&](Transaction&) {
    refused = pool.Run([](Transaction&) { return absl::OkStatus(); },
                       absl::Now() + absl::Milliseconds(20));
    CHECK(pool.in_use() == 1);
    return absl::OkStatus();
  });

  CHECK(outer.ok());
  CHECK(ReasonOf(refused) == Reason::kQueueFull);
  CHECK(pool.in_use() == 0);
  CHECK(pool.Read([](Transaction& t) -> absl::StatusOr<int64_t> {
              return t.Execute(kCount)[0].Int(0);
            })
            .ok());
}

TEST_CASE("Pool: many threads share few connections", "[store][postgres]") {
  Fixture f;
  Pool pool(f.db.dsn(), 3, {.application_name = "shared"}, std::chrono::milliseconds(30'000));
  std::atomic<int> ok = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 20; ++i) {
        const absl::Status status = pool.Run([&](Transaction& t) {
          t.Execute(kInsert, Params().Int(thread * 100 + i).Text("x"));
          return absl::OkStatus();
        });
        if (status.ok()) ++ok;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  CHECK(ok == 160);
  CHECK(f.Count() == 160);
  CHECK(f.db.Query("select count(*) from pg_stat_activity where application_name = 'shared' "
                   "and datname = current_database()")[0]
            .Int(0) <= 3);
}

TEST_CASE("Pool: connections that broke are replaced", "[store][postgres]") {
  Fixture f;
  Pool pool(f.db.dsn(), 2);
  for (int i = 0; i < 3; ++i) {
    const auto backend = pool.Run(BackendOf);
    REQUIRE(backend.ok());
    Kill(f.db, *backend);
  }
  const absl::Status lost = pool.Run([&](Transaction& t) {
    Kill(f.db, *BackendOf(t));
    return BackendOf(t).status();
  });

  CHECK(ReasonOf(lost) == Reason::kStoreUnavailable);
  CHECK(pool.Run(BackendOf).ok());
}

}  // namespace
}  // namespace guilder::postgres
