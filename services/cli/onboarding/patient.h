// Calls that are repeated until they are answered: through restarts of services and of the
// database.
#pragma once

#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#include "libs/base/reason.h"
#include "libs/clients/client.h"

namespace guilder::cli {

// Whether a repeat of the same request may go better: nobody answered, or it was too much just now.
// An answer that gRPC cut short has no reason of ours.
inline bool MayPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    case absl::StatusCode::kResourceExhausted:
      return ReasonOf(status) == Reason::kQueueFull;
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
      return !ReasonOf(status);
    default:
      return false;
  }
}

inline constexpr absl::Duration kPatience = absl::Minutes(5);

// The policy of one of our attempts: within it, the client repeats by itself.
inline clients::RetryPolicy PatientPolicy() {
  clients::RetryPolicy policy;
  policy.total = kPatience;
  policy.per_attempt = absl::Seconds(60);
  policy.longest_backoff = absl::Milliseconds(500);
  return policy;
}

// Repeats `attempt`, which gives a Status or StatusOr, until it gives something final or the
// patience has ended.
template <typename Attempt>
auto Patiently(Attempt attempt) {
  const absl::Time give_up_at = absl::Now() + kPatience;
  for (;;) {
    auto answer = attempt();
    const absl::Status* status = nullptr;
    if constexpr (std::is_same_v<decltype(answer), absl::Status>) {
      status = &answer;
    } else {
      status = &answer.status();
    }
    if (status->ok() || !MayPass(*status) || absl::Now() >= give_up_at) return answer;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

// Client::Invoke, patiently. The request carries a request_id, or may be repeated for other
// reasons.
template <typename Service, typename Request, typename Response>
absl::StatusOr<Response> Ask(const clients::Client<Service>& client,
                             grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                   const Request&, Response*),
                             const Request& request) {
  return Patiently([&] { return client.Invoke(method, request, PatientPolicy()); });
}

}  // namespace guilder::cli
