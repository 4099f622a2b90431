// What this process knows of the use of one credential.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

namespace guilder::security {

// A limit of calls a second, kept as the instant at which all that was admitted would have been
// spread evenly (the generic cell rate algorithm). A second's calls may come at once. Thread safe,
// one compare-and-swap a call.
class RateLimit {
 public:
  struct Verdict {
    bool admitted = true;
    // Calls that may follow at once.
    int64_t remaining = 0;
    // Until a call is admitted, when this one was not; otherwise until all are there again.
    int64_t wait_ns = 0;
  };

  // 0 for no limit. More than a billion is as much as a billion.
  void SetCallsPerSecond(int64_t calls) { calls_.store(calls, std::memory_order_relaxed); }
  int64_t calls_per_second() const { return calls_.load(std::memory_order_relaxed); }

  // `now_ns` by a clock that does not run backwards; there is a limit.
  Verdict Take(int64_t now_ns);

 private:
  std::atomic<int64_t> calls_{0};
  std::atomic<int64_t> even_at_ns_{INT64_MIN / 2};
};

// Shared by whoever authenticates and all calls that are in progress. Thread safe.
class CredentialUse {
 public:
  RateLimit& rate() { return rate_; }

  // Whether it still works: false for good once it was revoked or has expired. What outlives its
  // admission, as a stream, asks again.
  bool works() const { return works_.load(std::memory_order_relaxed); }
  void Withdraw() { works_.store(false, std::memory_order_relaxed); }

  // When it was last used, by the wall clock; 0 for never since the process began.
  int64_t last_used_us() const { return last_used_us_.load(std::memory_order_relaxed); }
  void Used(int64_t now_us);

  // The instant of the last use, once, when it is a minute later than what was taken before.
  std::optional<int64_t> TakeUnsavedUse();

 private:
  RateLimit rate_;
  std::atomic<bool> works_{true};
  std::atomic<int64_t> last_used_us_{0};
  std::atomic<int64_t> saved_us_{0};
};

}  // namespace guilder::security
