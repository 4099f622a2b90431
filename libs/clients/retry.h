// When a call is repeated: UNAVAILABLE, or an attempt that ran out of its own time, with growing,
// jittered delays; RESOURCE_EXHAUSTED after the delay that the server asked for; and nothing else.
#pragma once

#include <optional>
#include <random>

#include "absl/status/status.h"
#include "absl/time/time.h"

#include "libs/clients/channel.h"

namespace guilder::clients {

struct RetryPolicy {
  // From the first attempt to giving up.
  absl::Duration total = absl::Seconds(30);
  // How long one attempt may take; the last may be cut by `total`.
  absl::Duration per_attempt = absl::Seconds(10);
  absl::Duration first_backoff = absl::Milliseconds(20);
  absl::Duration longest_backoff = absl::Seconds(2);
  // 1 means no repeat.
  int max_attempts = 1'000;
};

// The repeats of one call. Not thread safe.
class Retrier {
 public:
  explicit Retrier(const RetryPolicy& policy);

  absl::Time AttemptDeadline() const;

  // How long to wait before the next attempt; nothing when `error` is final or the time is up.
  std::optional<absl::Duration> DelayBeforeRepeat(const absl::Status& error);
  // The same, and waits, while the channel connects anew if it has to. False when the error is
  // final.
  bool WaitBeforeRepeat(const absl::Status& error, const Channel& channel);

 private:
  RetryPolicy policy_;
  absl::Time give_up_at_;
  absl::Duration backoff_;
  int attempts_ = 0;
  std::minstd_rand random_;
};

}  // namespace guilder::clients
