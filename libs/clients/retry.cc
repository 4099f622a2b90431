#include "libs/clients/retry.h"

#include <algorithm>
#include <thread>

#include "absl/time/clock.h"

#include "libs/rpc/status.h"

namespace guilder::clients {

Retrier::Retrier(const RetryPolicy& policy)
    : policy_(policy),
      give_up_at_(absl::Now() + policy.total),
      backoff_(policy.first_backoff),
      random_(std::random_device()()) {}

absl::Time Retrier::AttemptDeadline() const {
  return std::min(give_up_at_, absl::Now() + policy_.per_attempt);
}

std::optional<absl::Duration> Retrier::DelayBeforeRepeat(const absl::Status& error) {
  if (++attempts_ >= policy_.max_attempts) return std::nullopt;
  const std::optional<absl::Duration> asked = rpc::RetryDelayOf(error);
  const bool exhausted = absl::IsResourceExhausted(error) && asked;
  const bool gone =
      absl::IsUnavailable(error) || absl::IsCancelled(error) || absl::IsDeadlineExceeded(error);
  if (!exhausted && !gone) return std::nullopt;

  // Between half and all of it, so that callers that failed together do not come back together.
  std::uniform_real_distribution<double> jitter(0.5, 1.0);
  const absl::Duration backoff = backoff_ * jitter(random_);
  backoff_ = std::min(backoff_ * 2, policy_.longest_backoff);
  const absl::Duration delay = exhausted ? std::max(*asked, backoff) : backoff;
  if (absl::Now() + delay >= give_up_at_) return std::nullopt;
  return delay;
}

bool Retrier::WaitBeforeRepeat(const absl::Status& error, const Channel& channel) {
  const auto delay = DelayBeforeRepeat(error);
  if (!delay) return false;
  const absl::Time until = absl::Now() + *delay;
  channel.Connect(until);
  std::this_thread::sleep_for(absl::ToChronoNanoseconds(until - absl::Now()));
  return true;
}

}  // namespace guilder::clients
