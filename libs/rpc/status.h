// Refusals on the wire: absl::Status ↔ google.rpc.Status with one ErrorInfo.
//
// ErrorInfo.reason is the reason's name, its domain "guilder", its metadata the refusal's details.
// Reasons that a caller should repeat after carry RetryInfo. What has no reason is our mistake: its
// text is logged with an incident id, and only the id is sent.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/support/status.h"

#include "libs/base/reason.h"

namespace guilder::rpc {

inline constexpr char kErrorDomain[] = "guilder";

// For a unary call or the end of a stream.
grpc::Status ToGrpcStatus(const absl::Status& status);
// For one item of a stream. OK gives code 0 and nothing else.
google::rpc::Status ToRpcStatus(const absl::Status& status);

// The inverses, for clients: ReasonOf, DetailsOf and RetryDelayOf work on what they return. A
// failure that gRPC itself made keeps its code; it has a reason where one says the same.
absl::Status FromGrpcStatus(const grpc::Status& status);
absl::Status FromRpcStatus(const google::rpc::Status& status);

// The status with a delay after which its caller may repeat.
absl::Status WithRetryDelay(absl::Status status, absl::Duration delay);

// How long a caller should wait before it repeats: what the server said, or what the reason says.
// Nothing when repeating is no use.
std::optional<absl::Duration> RetryDelayOf(const absl::Status& status);

}  // namespace guilder::rpc
