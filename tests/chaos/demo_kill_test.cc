// Goal: kill -9 of any service or of PostgreSQL, at any moment, changes no total.
// Method: six service executables on a private cluster; while the demonstration runs against them,
// one of them or the postmaster is killed every moment and started again. Its figures must be those
// of an undisturbed demonstration.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

#include "libs/postgres/migrator.h"
#include "libs/postgres/pool.h"
#include "libs/postgres/private_cluster.h"
#include "libs/security/secrets.h"
#include "services/cli/dev/bootstrap.h"
#include "services/cli/network.h"
#include "tests/support/catch2.h"
#include "tests/support/child_process.h"

namespace guilder {
namespace {

using testing::ChildProcess;
using testing::ProgramPath;
using testing::TemporaryDirectory;

constexpr const char* kServices[] = {"partner",    "accrual",    "member",
                                     "redemption", "settlement", "operator"};
constexpr char kShare[] = "40";
constexpr auto kTick = std::chrono::milliseconds(200);

int FreePort() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  socklen_t size = sizeof address;
  REQUIRE(getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(descriptor);
  return ntohs(address.sin_port);
}

// Six processes on one private cluster.
class Processes {
 public:
  explicit Processes(const std::string& directory) : directory_(directory) {
    postgres::PrivateClusterOptions options;
    options.directory = directory + "/postgres";
    auto cluster = postgres::PrivateCluster::Start(options);
    REQUIRE(cluster.ok());
    cluster_ = *std::move(cluster);
    network_.dsn = cluster_->dsn();
    auto connection = postgres::Connection::Open(network_.dsn);
    REQUIRE(connection.ok());
    REQUIRE(postgres::MigrateUp(*connection).ok());
    const auto secrets = security::Secrets::LoadOrCreate(directory + "/secrets");
    REQUIRE(secrets.ok());
    postgres::Pool pool(network_.dsn, 1);
    ledger::ProgrammeSettings programme;
    programme.welcome_points = Points(50);
    auto tokens = cli::dev::Bootstrap(pool, *secrets, programme, {});
    REQUIRE(tokens.ok());
    network_.operators = *std::move(tokens);
    for (const char* const service : kServices) {
      network_.endpoints[service] = absl::StrCat("127.0.0.1:", FreePort());
      Start(service);
    }
    REQUIRE(cli::WriteNetwork(NetworkFile(), network_).ok());
  }

  std::string NetworkFile() const { return directory_ + "/network.json"; }

  void KillService(const std::string& service) {
    processes_.at(service)->Kill();
    Start(service);
  }
  // A service that cannot reach its database does not start.
  void StartWhatEnded() {
    for (const char* const service : kServices) {
      if (!processes_.at(service)->IsRunning()) Start(service);
    }
  }
  // The cluster starts it again by itself.
  bool KillPostmaster() {
    const int pid = cluster_->postmaster_pid();
    return pid > 0 && kill(pid, SIGKILL) == 0;
  }

 private:
  void Start(const std::string& service) {
    processes_[service] = std::make_unique<ChildProcess>(
        std::vector<std::string>{ProgramPath("guilder-" + service), "--dsn", network_.dsn,
                                 "--secrets", directory_ + "/secrets", "--listen",
                                 network_.endpoints.at(service)},
        directory_ + "/" + service + ".log");
  }

  const std::string directory_;
  std::unique_ptr<postgres::PrivateCluster> cluster_;
  cli::Network network_;
  std::map<std::string, std::unique_ptr<ChildProcess>> processes_;
};

// Kills something every moment, until it is told to stop.
class Killer {
 public:
  Killer(Processes& processes, unsigned seed) : processes_(processes), random_(seed) {
    thread_ = std::thread([this] { Work(); });
  }
  ~Killer() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  int killed() const { return killed_; }

 private:
  void Work() {
    std::unique_lock lock(mutex_);
    int ticks_until_kill = 0;
    while (!changed_.wait_for(lock, kTick, [this] { return stopping_; })) {
      processes_.StartWhatEnded();
      if (ticks_until_kill-- > 0) continue;
      ticks_until_kill = static_cast<int>(4 + random_() % 12);
      const size_t victim = random_() % (std::size(kServices) + 1);
      if (victim == std::size(kServices)) {
        killed_ += processes_.KillPostmaster();
      } else {
        processes_.KillService(kServices[victim]);
        ++killed_;
      }
    }
  }

  Processes& processes_;
  std::minstd_rand random_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::atomic<int> killed_{0};
};

nlohmann::json RunDemo(const std::string& directory, const std::vector<std::string>& where) {
  std::vector<std::string> argv = {ProgramPath("guilder"),
                                   "demo",
                                   "--share",
                                   kShare,
                                   "--data",
                                   testing::SourcePath("tests/data"),
                                   "--output-dir",
                                   directory + "/output"};
  argv.insert(argv.end(), where.begin(), where.end());
  ChildProcess demo(std::move(argv), directory + "/demo.log");
  const int exit_code = demo.Wait();
  INFO(testing::ReadFile(directory + "/demo.log").substr(0, 4'000));
  REQUIRE(exit_code == 0);
  return nlohmann::json::parse(testing::ReadFile(directory + "/output/demo.json"));
}

// What must not depend on when things happened.
nlohmann::json Totals(const nlohmann::json& json) {
  nlohmann::json totals;
  for (const char* const key :
       {"members", "purchases", "returns", "redemptions", "redemptions_voided", "rejected",
        "parked", "operator_net_minor_units"}) {
    totals[key] = json.at(key);
  }
  for (const auto& partner : json.at("per_partner")) {
    for (const char* const key :
         {"purchases", "points_issued", "points_reversed", "points_redeemed",
          "issuance_minor_units", "reimbursement_minor_units", "fee_minor_units", "tax_minor_units",
          "net_minor_units"}) {
      totals["per_partner"][partner.at("key").get<std::string>()][key] = partner.at(key);
    }
  }
  return totals;
}

TEST_CASE("guilder demo: kill -9 of services and of PostgreSQL changes no total",
          "[chaos][demo][inv-6]") {
  const TemporaryDirectory calm;
  const nlohmann::json expected = RunDemo(calm.path(), {"--data-dir", calm.path() + "/data"});

  const TemporaryDirectory stormy;
  Processes processes(stormy.path());
  nlohmann::json survived;
  int killed = 0;
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  {
    Killer killer(processes, seed);
    survived = RunDemo(stormy.path(), {"--network", processes.NetworkFile()});
    killed = killer.killed();
  }

  INFO("killed " << killed);
  CHECK(killed >= 3);
  CHECK(survived["verify"]["ok"] == true);
  CHECK(Totals(survived) == Totals(expected));
}

}  // namespace
}  // namespace guilder
