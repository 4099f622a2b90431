// Posts returns that came before their sale, once the sale has come.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/status/statusor.h"

namespace guilder::accrual {

// A thread that looks for returns whose sale has come: when it is told that a purchase was recorded
// while any waits, and once a second then, because another process may have recorded it. While none
// waits it sends no statement. Thread safe.
class WaitingReturns {
 public:
  // Posts what is due, and gives whether any return waits still.
  using Work = std::function<absl::StatusOr<bool>()>;

  explicit WaitingReturns(Work work) : work_(std::move(work)) {}
  ~WaitingReturns();
  WaitingReturns(const WaitingReturns&) = delete;
  WaitingReturns& operator=(const WaitingReturns&) = delete;

  // Begins. `any_waits`: returns of an earlier process, or nobody knows.
  void Start(bool any_waits);
  // A return was parked.
  void Expect();
  // A purchase was recorded. Costs next to nothing while no return waits.
  void OnPurchase();

 private:
  void Run();

  const Work work_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool waits_ = false;
  bool recorded_ = false;
  bool expected_ = false;
  bool stopping_ = false;
  std::atomic<bool> any_{false};  // waits_, for those who only look
  std::thread thread_;
};

}  // namespace guilder::accrual
