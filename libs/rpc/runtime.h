// What every handler of a process shares: who may call, where blocking work runs, and the limits.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"

#include "libs/rpc/call.h"
#include "libs/rpc/failed_authentications.h"
#include "libs/rpc/permissions.h"
#include "libs/rpc/worker_pool.h"

namespace guilder::telemetry {
class Counter;
class Histogram;
}  // namespace guilder::telemetry

namespace guilder::rpc {

struct RuntimeOptions {
  // As many as the connections that the handlers share: more would only wait for one.
  int worker_threads = 8;
  // At least what streams and calls may have in progress: each may ask for a card not seen before.
  size_t worker_queue_limit = 4096;
  // For handlers that stream answers, each for as long as it likes.
  int stream_threads = 2;
  size_t stream_queue_limit = 16;
  // Calls in progress over all methods; each stream is one. Beyond it: kQueueFull. Some fifth of a
  // second's work: more would only wait longer.
  int64_t max_calls_in_progress = 2048;
  // The deadline of calls that state none or a later one. Streams have no limit of their own.
  absl::Duration max_call_duration = absl::Seconds(60);
};

// What is told that a drain begins: a stream, which may otherwise last for hours.
class Drainable {
 public:
  virtual ~Drainable() = default;
  virtual void Drain() = 0;
};

// Outlives the services and servers that use it. Thread safe.
class Runtime {
 public:
  Runtime(security::Authenticator& authenticator, RuntimeOptions options);
  explicit Runtime(security::Authenticator& authenticator)
      : Runtime(authenticator, RuntimeOptions()) {}
  ~Runtime();

  security::Authenticator& authenticator() { return authenticator_; }
  FailedAuthentications& failed_authentications() { return failed_authentications_; }
  WorkerPool& workers() { return workers_; }
  WorkerPool& streams() { return streams_; }
  const RuntimeOptions& options() const { return options_; }

  // From now on new calls are answered kDraining, and streams end so once what they have read is
  // answered.
  void BeginDrain();
  bool draining() const { return draining_.load(); }
  // Waits until no call is in progress, or until the deadline.
  void WaitUntilIdle(absl::Time deadline);
  void AddDrainable(std::weak_ptr<Drainable> drainable);

  // Takes a place among the calls in progress; false when there is none. Each true is followed by
  // one LeaveCall.
  bool EnterCall();
  void LeaveCall();

 private:
  security::Authenticator& authenticator_;
  const RuntimeOptions options_;
  FailedAuthentications failed_authentications_;
  std::atomic<bool> draining_{false};
  std::atomic<int64_t> calls_in_progress_{0};
  std::mutex mutex_;
  std::condition_variable idle_;
  std::vector<std::weak_ptr<Drainable>> drainables_;  // guarded by mutex_
  WorkerPool workers_;
  WorkerPool streams_;
};

// One method of one service, as the handler wrapper sees it.
struct Method {
  std::string full_name;  // "guilder.partner.v1.PartnerService/GetPartner"
  const Permission* permission;
  telemetry::Counter* succeeded;
  telemetry::Histogram* seconds;
};

// The methods of one gRPC service. Made once by the service's class and given to each wrapper.
// Immutable, hence thread safe.
class Methods {
 public:
  // `service` as in v1::PartnerService::service_full_name(). A method without a row in the table of
  // permissions is refused to everybody; Server::Start says so and does not start.
  Methods(Runtime& runtime, std::string_view service);

  Runtime& runtime() const { return runtime_; }
  // By its short name, "GetPartner". Ends the process when the service has no such method.
  const Method& operator[](std::string_view name) const;

 private:
  Runtime& runtime_;
  absl::flat_hash_map<std::string, std::unique_ptr<Method>> methods_;
};

}  // namespace guilder::rpc
