#include "services/cli/bench/load.h"

#include <condition_variable>
#include <thread>
#include <utility>

#include "absl/time/clock.h"

#include "libs/rpc/status.h"

namespace guilder::cli::bench {
namespace {

// Counts what is under way.
class Gate {
 public:
  void Enter() {
    const std::lock_guard lock(mutex_);
    ++inside_;
  }
  void Leave() {
    const std::lock_guard lock(mutex_);
    if (--inside_ == 0) empty_.notify_all();
  }
  void AwaitEmpty() {
    std::unique_lock lock(mutex_);
    empty_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
  int64_t inside_ = 0;
};

class ClosedLoopLoad final : public Load {
 public:
  // Makes at most `limit` calls.
  ClosedLoopLoad(Callers callers, int64_t limit)
      : callers_(std::move(callers)), left_(limit), limit_(limit) {}
  ~ClosedLoopLoad() override { End(); }

  void Begin(Tally& tally) override {
    tally_ = &tally;
    left_ = limit_;
    for (const auto& caller : callers_) {
      under_way_.Enter();
      CallOrLeave(*caller);
    }
  }
  void End() override {
    left_ = 0;
    under_way_.AwaitEmpty();
  }
  void AwaitLimit() override { under_way_.AwaitEmpty(); }

 private:
  void CallOrLeave(Caller& caller) {
    if (left_.fetch_sub(1, std::memory_order_relaxed) <= 0) return under_way_.Leave();
    caller.Begin([this, &caller](const grpc::Status& status) {
      tally_->Add(status);
      CallOrLeave(caller);
    });
  }

  Callers callers_;
  Tally* tally_ = nullptr;
  Gate under_way_;
  std::atomic<int64_t> left_;
  const int64_t limit_;
};

}  // namespace

void Tally::Add(const grpc::Status& status) {
  done_.fetch_add(1, std::memory_order_relaxed);
  if (status.ok()) return;
  const std::lock_guard lock(mutex_);
  if (first_failure_.ok()) first_failure_ = rpc::FromGrpcStatus(status);
}

absl::Status Tally::status() const {
  const std::lock_guard lock(mutex_);
  return first_failure_;
}

std::unique_ptr<Load> ClosedLoop(Callers callers) {
  return std::make_unique<ClosedLoopLoad>(std::move(callers), INT64_MAX / 2);
}

absl::StatusOr<Throughput> Measure(Load& load, const Window& window) {
  const auto cpu = [&] { return window.cpu_micros ? window.cpu_micros() : 0.0; };
  Tally tally;
  load.Begin(tally);
  absl::SleepFor(window.warm_up);
  const double cpu_before = cpu();
  const int64_t done_before = tally.done();
  const absl::Time began = absl::Now();
  absl::SleepFor(window.duration);
  const auto done = static_cast<double>(tally.done() - done_before);
  const double seconds = absl::ToDoubleSeconds(absl::Now() - began);
  const double cpu_used = cpu() - cpu_before;
  load.End();
  if (!tally.status().ok()) return tally.status();
  if (done == 0) return absl::DeadlineExceededError("nothing was answered");
  return Throughput{done / seconds, cpu_used / done};
}

absl::Status Complete(Load& load) {
  Tally tally;
  load.Begin(tally);
  load.AwaitLimit();
  load.End();
  return tally.status();
}

absl::Status Repeat(Callers callers, int64_t count) {
  ClosedLoopLoad load(std::move(callers), count);
  return Complete(load);
}

namespace {

// One thread alone would be late itself at twice the peak.
constexpr size_t kSenders = 4;

// When each call of a schedule is due, since its beginning.
std::vector<absl::Duration> DueTimes(const std::vector<Pace>& schedule) {
  std::vector<absl::Duration> due;
  absl::Duration began;
  for (const Pace& pace : schedule) {
    const auto calls = static_cast<size_t>(pace.per_second * absl::ToDoubleSeconds(pace.duration));
    for (size_t i = 0; i < calls; ++i) {
      due.push_back(began + absl::Seconds(static_cast<double>(i) / pace.per_second));
    }
    began += pace.duration;
  }
  return due;
}

}  // namespace

absl::StatusOr<std::vector<Latency>> OpenLoop(
    const std::function<std::unique_ptr<Caller>()>& make_caller, const std::vector<Pace>& schedule,
    bool may_refuse) {
  const std::vector<absl::Duration> due_times = DueTimes(schedule);
  std::vector<Latency> latencies(due_times.size());
  Tally tally;
  Gate under_way;
  std::mutex mutex;
  Callers idle;  // guarded by mutex
  const absl::Time began = absl::Now();
  const auto send = [&](size_t first) {
    for (size_t i = first; i < due_times.size(); i += kSenders) {
      const absl::Time due = began + due_times[i];
      absl::SleepFor(due - absl::Now());
      std::unique_ptr<Caller> caller;
      {
        const std::lock_guard lock(mutex);
        if (!idle.empty()) {
          caller = std::move(idle.back());
          idle.pop_back();
        } else {
          caller = make_caller();
        }
      }
      under_way.Enter();
      Caller* const calling = caller.release();
      calling->Begin([&, i, due, calling](const grpc::Status& status) {
        const bool refused =
            may_refuse && status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED;
        latencies[i] = {absl::ToDoubleMilliseconds(due - began),
                        absl::ToDoubleMilliseconds(absl::Now() - due), refused};
        tally.Add(refused ? grpc::Status::OK : status);
        {
          const std::lock_guard lock(mutex);
          idle.emplace_back(calling);
        }
        under_way.Leave();
      });
    }
  };
  std::vector<std::thread> senders;
  for (size_t first = 0; first < kSenders; ++first) senders.emplace_back(send, first);
  for (std::thread& sender : senders) sender.join();
  under_way.AwaitEmpty();
  if (!tally.status().ok()) return tally.status();
  return latencies;
}

}  // namespace guilder::cli::bench
