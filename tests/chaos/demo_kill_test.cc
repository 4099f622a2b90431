// Goal: kill -9 of any service or of PostgreSQL, at any moment, changes no total.
// Method: six service executables on a private cluster; while the demonstration runs against them,
// one of them or the postmaster is killed every moment and started again. Its figures must be those
// of an undisturbed demonstration.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/chaos/service_processes.h"
#include "tests/support/catch2.h"
#include "tests/support/child_process.h"

namespace guilder {
namespace {

using testing::ChildProcess;
using testing::ProgramPath;
using testing::ServiceProcesses;
using testing::TemporaryDirectory;

constexpr char kShare[] = "40";
constexpr auto kTick = std::chrono::milliseconds(200);

// Kills something every moment, until it is told to stop.
class Killer {
 public:
  Killer(ServiceProcesses& processes, unsigned seed) : processes_(processes), random_(seed) {
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
      if (ticks_until_kill-- > 0) continue;
      ticks_until_kill = static_cast<int>(4 + random_() % 12);
      const auto& services = testing::ServiceNames();
      const size_t victim = random_() % (services.size() + 1);
      if (victim == services.size()) {
        const pid_t postmaster = processes_.postmaster_pid();
        killed_ += postmaster > 0 && kill(postmaster, SIGKILL) == 0;
      } else {
        processes_.Restart(services[victim]);
        ++killed_;
      }
    }
  }

  ServiceProcesses& processes_;
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
  ledger::ProgrammeSettings programme;
  programme.welcome_points = Points(50);
  ServiceProcesses processes({.directory = stormy.path(), .programme = programme});
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
