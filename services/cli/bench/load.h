// Load: calls that are made as fast as they are answered, or on a schedule.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "grpcpp/support/status.h"

#include "services/cli/bench/statistics.h"

namespace guilder::cli::bench {

// What was answered so far. Thread safe.
class Tally {
 public:
  void Add(const grpc::Status& status);
  int64_t done() const { return done_.load(std::memory_order_relaxed); }
  // OK while every answer was.
  absl::Status status() const;

 private:
  std::atomic<int64_t> done_{0};
  mutable std::mutex mutex_;
  absl::Status first_failure_;  // guarded by mutex_
};

// Makes one call at a time. Begin may be called again when `done` was.
class Caller {
 public:
  using Done = std::function<void(const grpc::Status&)>;
  virtual ~Caller() = default;
  // Makes the next call. `done` is called once, on a thread of gRPC.
  virtual void Begin(Done done) = 0;
};
using Callers = std::vector<std::unique_ptr<Caller>>;

// Something that keeps a service busy between Begin and End.
class Load {
 public:
  virtual ~Load() = default;
  // Answers are counted in `tally`, which outlives the load.
  virtual void Begin(Tally& tally) = 0;
  // Waits until the load has come to an end of its own, which one without a limit never does.
  virtual void AwaitLimit() = 0;
  // Begins nothing more, and returns when everything was answered.
  virtual void End() = 0;
};

// Each caller makes its next call when the last one was answered.
std::unique_ptr<Load> ClosedLoop(Callers callers);

struct Throughput {
  double per_second = 0;
  double cpu_us_each = 0;
};

struct Window {
  absl::Duration warm_up;
  absl::Duration duration;
  // Processor time used so far by what is measured; may be empty.
  std::function<double()> cpu_micros;
};

// Counts the answers of a while. An error when any of them was one.
absl::StatusOr<Throughput> Measure(Load& load, const Window& window);

// Runs a load that has a limit up to it. An error when any answer was one.
absl::Status Complete(Load& load);

// Makes `count` calls, each caller its next one when the last one was answered.
absl::Status Repeat(Callers callers, int64_t count);

// A part of a schedule.
struct Pace {
  double per_second;
  absl::Duration duration;
};

// Makes calls on a schedule whether or not earlier ones were answered, and measures from when each
// was due: so a stall counts for all whom it would have kept waiting. RESOURCE_EXHAUSTED is an
// answer as good as any when `may_refuse`; everything else but OK is an error.
absl::StatusOr<std::vector<Latency>> OpenLoop(
    const std::function<std::unique_ptr<Caller>()>& make_caller, const std::vector<Pace>& schedule,
    bool may_refuse = false);

}  // namespace guilder::cli::bench
