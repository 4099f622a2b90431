// What libs/postgres says of connections that are lost at every point.
#include <optional>
#include <string>
#include <thread>

#include "absl/time/clock.h"

#include "libs/base/reason.h"
#include "libs/postgres/connection.h"
#include "tests/support/catch2.h"
#include "tests/support/gated_database.h"

namespace guilder::postgres {
namespace {

using testing::GatedDatabase;
using testing::TcpGate;
using testing::TestDatabase;

constexpr int kMoreThanAnybodySends = 50;
constexpr TcpGate::Failure kBothWays[] = {TcpGate::Failure::kBeforeRequest,
                                          TcpGate::Failure::kBeforeAnswer};

constexpr Statement kCount{"test.count", "select count(*) from kept"};
constexpr Statement kKeep{"test.keep", "insert into kept values ($1)"};

TEST_CASE("Connection: one that is lost while it opens is the store's failure",
          "[store][postgres][faults]") {
  const TestDatabase database;
  GatedDatabase gated(database);
  for (const TcpGate::Failure failure : kBothWays) {
    int failures = 0;
    for (int nth = 1; nth < kMoreThanAnybodySends; ++nth) {
      INFO("at " << nth);
      gated.gate().FailRequest(nth, failure);
      const absl::Status opened = Connection::Open(gated.dsn()).status();
      if (!gated.gate().failed_request()) break;
      // What was hit is the farewell of a session before.
      if (opened.ok()) continue;
      ++failures;
      INFO(opened.ToString());
      CHECK(ReasonOf(opened) == Reason::kStoreUnavailable);
    }
    CHECK(failures >= 1);
  }
}

// Goal: who is told that a transaction is done can rely on it, and who is told of a failure without
// an unknown outcome can rely on that.
TEST_CASE("RunInTransaction: a connection that is lost at any statement tells what became of it",
          "[store][postgres][faults][inv-105]") {
  const TestDatabase database;
  database.Query("create table kept (id bigint primary key)");
  GatedDatabase gated(database);
  auto connection = Connection::Open(gated.dsn());
  REQUIRE(connection.ok());
  const auto keep = [&](int id) {
    return RunInTransaction(*connection, [&](Transaction& tx) {
      tx.Execute(kCount);
      tx.Execute(kKeep, Params().Int(id));
      return absl::OkStatus();
    });
  };
  REQUIRE(keep(0).ok());
  int unknown = 0;
  for (const TcpGate::Failure failure : kBothWays) {
    for (int nth = 1; nth < kMoreThanAnybodySends; ++nth) {
      const int id = 2 * nth + static_cast<int>(failure) + 100;
      INFO("at " << nth << ", way " << static_cast<int>(failure));
      gated.gate().FailRequest(nth, failure);
      const absl::Status status = keep(id);
      const bool untouched = !gated.gate().failed_request();
      gated.gate().Restore();
      const bool kept =
          database.Query("select count(*) from kept where id = " + std::to_string(id))[0].Int(0) ==
          1;
      INFO(status.ToString());
      if (status.ok()) {
        CHECK(kept);
      } else {
        CHECK(ReasonOf(status) == Reason::kStoreUnavailable);
        if (!IsOutcomeUnknown(status)) CHECK_FALSE(kept);
        unknown += IsOutcomeUnknown(status);
      }
      if (untouched) break;
    }
  }
  // The commit, each way, at the least.
  CHECK(unknown >= 2);
}

// Goal: neither a statement that does not arrive nor an answer that does not come holds its caller
// for longer than SessionSettings says: TCP by itself goes on for a quarter of an hour. Method: the
// gate's system does not even acknowledge what is sent.
TEST_CASE("Connection: a database that vanished is given up within its bound",
          "[store][postgres][faults][inv-105]") {
  if (!testing::TcpGate::CanLosePackets()) {
    WARN("not shown: this system lets only root drop packets");
    return;
  }
  const TestDatabase database;
  GatedDatabase gated(database);
  auto sends = Connection::Open(gated.dsn());
  auto waits = Connection::Open(gated.dsn());
  REQUIRE((sends.ok() && waits.ok()));
  absl::Status of_waiting;
  absl::Time gave_up_waiting;
  std::thread waiting([&] {
    of_waiting = RunInTransaction(*waits, [](Transaction& tx) {
      tx.Script("select 'an answer that will not come', pg_sleep(60)");
      return absl::OkStatus();
    });
    gave_up_waiting = absl::Now();
  });
  absl::Time vanished;
  const absl::Status of_sending = RunInTransaction(*sends, [&](Transaction& tx) {
    database.AwaitRow(
        "select from pg_stat_activity where wait_event = 'PgSleep' and "
        "datname = current_database()");
    gated.gate().LosePackets();
    vanished = absl::Now();
    tx.Script("select 1");
    return absl::OkStatus();
  });
  const absl::Time gave_up_sending = absl::Now();
  waiting.join();

  CHECK(ReasonOf(of_sending) == Reason::kStoreUnavailable);
  CHECK(ReasonOf(of_waiting) == Reason::kStoreUnavailable);
  const absl::Duration bound = absl::FromChrono(SessionSettings().tcp_user_timeout);
  CHECK(gave_up_sending - vanished > bound / 2);
  CHECK(gave_up_sending - vanished < bound + absl::Seconds(2));
  // Who waits asks first after two seconds of silence whether the other end is there.
  CHECK(gave_up_waiting - vanished < bound + absl::Seconds(4));
  gated.gate().Restore();
  CHECK(RunInTransaction(*sends, [](Transaction& tx) {
          tx.Script("select 1");
          return absl::OkStatus();
        }).ok());
}

TEST_CASE("Connection: one that a proxy forgot is given up when the proxy resets it",
          "[store][postgres][faults]") {
  const TestDatabase database;
  GatedDatabase gated(database);
  auto connection = Connection::Open(gated.dsn());
  REQUIRE(connection.ok());
  const auto read = [&] {
    return RunInTransaction(*connection, [](Transaction& tx) {
      tx.Script("select 1");
      return absl::OkStatus();
    });
  };
  REQUIRE(read().ok());

  gated.gate().Cut();

  CHECK(read().ok());
}

}  // namespace
}  // namespace guilder::postgres
