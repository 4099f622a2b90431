#include "services/accrual/rpc/waiting_returns.h"

#include <chrono>

namespace guilder::accrual {
namespace {

constexpr auto kTick = std::chrono::seconds(1);

}  // namespace

WaitingReturns::~WaitingReturns() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void WaitingReturns::Start(bool any_waits) {
  waits_ = any_waits;
  any_ = any_waits;
  thread_ = std::thread([this] { Run(); });
}

void WaitingReturns::Expect() {
  const std::lock_guard lock(mutex_);
  waits_ = expected_ = true;
  any_ = true;
  changed_.notify_all();
}

void WaitingReturns::OnPurchase() {
  if (!any_.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  recorded_ = true;
  changed_.notify_all();
}

void WaitingReturns::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait(lock, [this] { return waits_ || stopping_; });
    changed_.wait_for(lock, kTick, [this] { return recorded_ || stopping_; });
    if (stopping_) return;
    recorded_ = expected_ = false;
    lock.unlock();
    const absl::StatusOr<bool> waits = work_();
    lock.lock();
    // Where nobody could be asked, or one was parked meanwhile, some may wait.
    waits_ = !waits.ok() || *waits || expected_;
    any_ = waits_;
  }
}

}  // namespace guilder::accrual
