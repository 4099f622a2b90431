#include "libs/postgres/private_cluster.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libs/postgres/connection.h"
#include "libs/postgres/process.h"
#include "tests/support/catch2.h"

namespace guilder::postgres {
namespace {

// A directory that any user may reach, removed at the end.
class Directory {
 public:
  Directory() : path_("/tmp/guilder-cluster-test-" + std::to_string(getpid())) { Remove(); }
  ~Directory() { Remove(); }
  const std::string& path() const { return path_; }

 private:
  void Remove() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path_;
};

// What is committed survives the death of any process without fsync; only the machine's needs it.
PrivateClusterOptions Options(const std::string& directory) {
  return {.directory = directory,
          .settings = {{"fsync", "off"}, {"shared_buffers", "16MB"}},
          .start_timeout = std::chrono::seconds(60)};
}

std::unique_ptr<PrivateCluster> StartOrFail(const std::string& directory) {
  auto cluster = PrivateCluster::Start(Options(directory));
  INFO(cluster.status().ToString());
  REQUIRE(cluster.ok());
  return *std::move(cluster);
}

// The number that `sql` answers, 0 when it answers none, -1 when it fails.
int64_t Ask(const std::string& dsn, const std::string& sql) {
  auto connection = Connection::Open(dsn);
  if (!connection.ok()) return -1;
  return RunInTransaction(*connection,
                          [&](Transaction& t) -> absl::StatusOr<int64_t> {
                            const Rows rows = t.Script(sql);
                            return rows.empty() ? 0 : rows[0].Int(0);
                          })
      .value_or(-1);
}

bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST_CASE("PrivateCluster: starts again on its directory with what was committed",
          "[store][postgres]") {
  const Directory directory;
  {
    const auto cluster = StartOrFail(directory.path());
    REQUIRE(Ask(cluster->dsn(), "create table t as select 7::bigint as x") == 0);
    CHECK(Ask(cluster->dsn(), "select count(*) from pg_stat_activity where client_port > 0") == 0);
    CHECK(cluster->Stop().ok());
    CHECK(cluster->Stop().ok());
    CHECK(cluster->postmaster_pid() == 0);
  }
  const auto cluster = StartOrFail(directory.path());

  CHECK(Ask(cluster->dsn(), "select x from t") == 7);
}

TEST_CASE("PrivateCluster: a killed postmaster is started again", "[store][postgres][chaos]") {
  const Directory directory;
  const auto cluster = StartOrFail(directory.path());
  REQUIRE(Ask(cluster->dsn(), "create table t as select 7::bigint as x") == 0);
  for (int round = 0; round < 3; ++round) {
    const int killed = cluster->postmaster_pid();
    REQUIRE(killed > 0);
    REQUIRE(kill(killed, SIGKILL) == 0);

    CHECK(Eventually([&] {
      const int pid = cluster->postmaster_pid();
      return pid > 0 && pid != killed;
    }));
    CHECK(Ask(cluster->dsn(), "select x from t") == 7);
  }
}

TEST_CASE("PrivateCluster: only one process holds a directory", "[store][postgres]") {
  const Directory directory;
  const auto cluster = StartOrFail(directory.path());

  const auto second = PrivateCluster::Start(Options(directory.path()));

  CHECK(second.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(std::string(second.status().message()).find(std::to_string(getpid())) != std::string::npos);
}

// Starts a cluster in a process of its own and kills that process; returns the postmaster's number.
int StartAndKillOwner(const std::string& directory) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t owner = fork();
  if (owner == 0) {
    auto cluster = PrivateCluster::Start(Options(directory));
    int pid = cluster.ok() ? (*cluster)->postmaster_pid() : 0;
    if (pid != 0 && Ask((*cluster)->dsn(), "create table t as select 7::bigint as x") != 0) pid = 0;
    [[maybe_unused]] const auto written = write(ends[1], &pid, sizeof(pid));
    while (true) pause();
  }
  int pid = 0;
  REQUIRE(read(ends[0], &pid, sizeof(pid)) == sizeof(pid));
  close(ends[0]);
  close(ends[1]);
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  return pid;
}

TEST_CASE("PrivateCluster: the server ends with its owner, and its successor starts at once",
          "[store][postgres][chaos]") {
  const Directory directory;
  const int first = StartAndKillOwner(directory.path());
  REQUIRE(first > 0);

  const auto cluster = StartOrFail(directory.path());

  CHECK(Eventually([&] { return Ask(cluster->dsn(), "select x from t") == 7; }));
  CHECK(Eventually([&] { return cluster->postmaster_pid() != first; }));
}

// What a process was started with.
std::vector<std::string> CommandLineOf(int pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/cmdline");
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(in, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

TEST_CASE("PrivateCluster: a server that was left behind is adopted, and kept alive",
          "[store][postgres][chaos]") {
  const Directory directory;
  std::vector<std::string> command_line;
  {
    const auto cluster = StartOrFail(directory.path());
    command_line = CommandLineOf(cluster->postmaster_pid());
  }
  const auto left_behind =
      internal::Start({.argv = command_line, .user = *internal::FindServerUser()});
  REQUIRE(left_behind.ok());

  const auto cluster = StartOrFail(directory.path());

  CHECK(cluster->postmaster_pid() == *left_behind);
  CHECK(Ask(cluster->dsn(), "select 1") == 1);
  REQUIRE(kill(*left_behind, SIGKILL) == 0);
  CHECK(Eventually([&] {
    const int pid = cluster->postmaster_pid();
    return pid > 0 && pid != *left_behind;
  }));
  CHECK(Ask(cluster->dsn(), "select 1") == 1);
  CHECK(cluster->Stop().ok());
  waitpid(*left_behind, nullptr, 0);
}

TEST_CASE("PrivateCluster: the file of a killed server names another process by now",
          "[store][postgres][chaos]") {
  const Directory directory;
  { const auto cluster = StartOrFail(directory.path()); }
  std::ofstream(directory.path() + "/data/postmaster.pid")
      << getpid() << "\n/somewhere\n0\n5432\n\n\n";

  const auto cluster = StartOrFail(directory.path());

  CHECK(cluster->postmaster_pid() > 0);
}

TEST_CASE("PrivateCluster: a long path still gives a short socket", "[store][postgres]") {
  const Directory directory;
  const std::string path = directory.path() + "/" + std::string(100, 'x') + "/cluster, 'of' mine";
  const auto cluster = StartOrFail(path);

  CHECK(Ask(cluster->dsn(), "select 1") == 1);
}

TEST_CASE("PrivateCluster: a directory with other things in it is left alone",
          "[store][postgres]") {
  const Directory directory;
  std::filesystem::create_directory(directory.path());
  std::ofstream(directory.path() + "/mine") << "precious";

  const auto cluster = PrivateCluster::Start(Options(directory.path()));

  CHECK(cluster.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(std::filesystem::exists(directory.path() + "/mine"));
}

TEST_CASE("PrivateCluster: says which parent its user cannot enter", "[store][postgres]") {
  if (geteuid() != 0) return;  // Only root runs the server as another user.
  const Directory directory;
  std::filesystem::create_directory(directory.path());
  std::filesystem::permissions(directory.path(), std::filesystem::perms::owner_all);

  const auto cluster = PrivateCluster::Start(Options(directory.path() + "/cluster"));

  CHECK(std::string(cluster.status().message()).find("cannot enter " + directory.path()) !=
        std::string::npos);
}

}  // namespace
}  // namespace guilder::postgres
