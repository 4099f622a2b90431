// What every part of a demonstration shares while it runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "guilder/accrual/v1/accrual_service.grpc.pb.h"
#include "guilder/member/v1/member_service.grpc.pb.h"
#include "guilder/redemption/v1/redemption_service.grpc.pb.h"

#include "libs/clients/client.h"
#include "services/cli/demo/outcome.h"
#include "services/cli/demo/purchases.h"
#include "services/cli/demo/wallets.h"
#include "services/cli/network.h"

namespace guilder::cli::demo {

// A merchant's side of the network: its connections, with its API key.
struct Shop {
  std::string name;  // "partners/grocery"
  clients::Client<accrual::v1::AccrualService> purchases;
  clients::Client<member::v1::MemberService> members;
  clients::Client<redemption::v1::RedemptionService> redemptions;
};

struct Run {
  Run(const TillWork& till_work, const Network& where, std::string request_seed)
      : work(till_work),
        network(where),
        seed(std::move(request_seed)),
        wallets(till_work.members.size()) {
    outcome.cards.resize(work.members.size());
    outcome.receipts.resize(work.receipts.size());
  }

  const TillWork& work;
  const Network& network;
  // From which request ids follow.
  const std::string seed;
  std::vector<Shop> shops;  // As in DemoPartners().
  // Told of so many receipts and returns more; thread safe.
  std::function<void(int64_t)> on_progress = [](int64_t) {};

  // Threads fill their own receipts and cards; everything else in it is guarded by `mutex` while
  // they run. The wallets are only touched between.
  Outcome outcome;
  Wallets wallets;
  std::mutex mutex;
};

// Adds the time that it lives to a part of the run.
class Stopwatch {
 public:
  Stopwatch(Run& run, const char* part) : run_(run), part_(part) {}
  ~Stopwatch() {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began_;
    const std::lock_guard lock(run_.mutex);
    run_.outcome.seconds_of[part_] += seconds.count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  Run& run_;
  const char* const part_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// "partners/grocery/stores/branch-3"
std::string StoreName(const Run& run, size_t partner, const std::string& store);

// An answer that the data does not explain.
absl::Status Unexpected(const std::string& what, const absl::Status& status);

}  // namespace guilder::cli::demo
