#include "libs/rpc/status.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "google/rpc/error_details.pb.h"

#include "libs/base/text.h"
#include "libs/security/keys.h"
#include "libs/telemetry/log.h"

namespace guilder::rpc {
namespace {

constexpr char kRetryPayload[] = "guilder/retry-delay-us";

// How long callers wait before they repeat, unless the server says otherwise.
std::optional<absl::Duration> DelayOf(Reason reason) {
  switch (reason) {
    case Reason::kQueueFull:
    case Reason::kRateLimited:
      return absl::Milliseconds(50);
    case Reason::kStoreUnavailable:
      return absl::Milliseconds(200);
    case Reason::kDraining:
      return absl::Milliseconds(500);
    default:
      return std::nullopt;
  }
}

void AddDetails(Reason reason, const ReasonDetails& details, std::optional<absl::Duration> delay,
                google::rpc::Status& status) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(ReasonName(reason)));
  info.set_domain(kErrorDomain);
  info.mutable_metadata()->insert(details.begin(), details.end());
  status.add_details()->PackFrom(info);

  if (delay) {
    google::rpc::RetryInfo retry;
    *retry.mutable_retry_delay() =
        google::protobuf::util::TimeUtil::MicrosecondsToDuration(absl::ToInt64Microseconds(*delay));
    status.add_details()->PackFrom(retry);
  }
}

// What may be told of a mistake of ours: an id under which the log has the rest.
google::rpc::Status Incident(const absl::Status& status) {
  const std::string incident = security::RandomHex(8);
  telemetry::Log(telemetry::Severity::kError, "internal error",
                 {{"incident", incident},
                  {"code", absl::StatusCodeToString(status.code())},
                  {"text", std::string(status.message())}});
  google::rpc::Status hidden;
  hidden.set_code(static_cast<int>(absl::StatusCode::kInternal));
  hidden.set_message(
      absl::StrCat("incident ", incident, ": ", ToAbsl(ReasonAdvice(Reason::kInternal))));
  AddDetails(Reason::kInternal, {{"incident", incident}}, std::nullopt, hidden);
  return hidden;
}

// A status without a reason is told as it is when its code says all that a caller needs; anything
// else did not expect to leave the process.
bool MayLeaveWithoutReason(absl::StatusCode code) {
  return code == absl::StatusCode::kCancelled || code == absl::StatusCode::kUnimplemented ||
         code == absl::StatusCode::kDeadlineExceeded;
}

// The reason that says the same as a failure that gRPC made.
std::optional<Reason> ReasonOfTransport(absl::StatusCode code, const std::string& message) {
  if (code == absl::StatusCode::kDeadlineExceeded) return Reason::kDeadlineExceeded;
  if (code == absl::StatusCode::kResourceExhausted &&
      message.find("larger than max") != std::string::npos) {
    return Reason::kRequestTooLarge;
  }
  return std::nullopt;
}

}  // namespace

google::rpc::Status ToRpcStatus(const absl::Status& status) {
  google::rpc::Status wire;
  if (status.ok()) return wire;
  const auto reason = ReasonOf(status);
  const bool told = reason ? *reason != Reason::kInternal : MayLeaveWithoutReason(status.code());
  if (!told) return Incident(status);
  wire.set_code(static_cast<int>(status.code()));
  wire.set_message(std::string(status.message()));
  if (reason) AddDetails(*reason, DetailsOf(status), RetryDelayOf(status), wire);
  return wire;
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status wire = ToRpcStatus(status);
  return grpc::Status(static_cast<grpc::StatusCode>(wire.code()), wire.message(),
                      wire.SerializeAsString());
}

absl::Status FromRpcStatus(const google::rpc::Status& wire) {
  const auto code = static_cast<absl::StatusCode>(wire.code());
  if (code == absl::StatusCode::kOk) return absl::OkStatus();

  absl::Status status(code, wire.message());
  std::optional<absl::Duration> delay;
  for (const google::protobuf::Any& detail : wire.details()) {
    google::rpc::ErrorInfo info;
    google::rpc::RetryInfo retry;
    if (detail.Is<google::rpc::ErrorInfo>() && detail.UnpackTo(&info) &&
        info.domain() == kErrorDomain) {
      // A newer server may have reasons that this client does not know; the code remains.
      if (const auto reason = ReasonFromName(info.reason())) {
        const ReasonDetails details(info.metadata().begin(), info.metadata().end());
        status = WithReason(absl::Status(code, wire.message()), *reason, details);
      }
    } else if (detail.Is<google::rpc::RetryInfo>() && detail.UnpackTo(&retry)) {
      delay = absl::Microseconds(
          google::protobuf::util::TimeUtil::DurationToMicroseconds(retry.retry_delay()));
    }
  }
  return delay ? WithRetryDelay(std::move(status), *delay) : status;
}

absl::Status WithRetryDelay(absl::Status status, absl::Duration delay) {
  status.SetPayload(kRetryPayload, absl::Cord(absl::StrCat(absl::ToInt64Microseconds(delay))));
  return status;
}

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status wire;
  if (!status.error_details().empty() && wire.ParseFromString(status.error_details()) &&
      wire.code() == static_cast<int>(status.error_code())) {
    return FromRpcStatus(wire);
  }
  const auto code = static_cast<absl::StatusCode>(status.error_code());
  const absl::Status plain(code, status.error_message());
  const auto reason = ReasonOfTransport(code, status.error_message());
  return reason ? WithReason(plain, *reason, {}) : plain;
}

std::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  if (const auto payload = status.GetPayload(kRetryPayload)) {
    const auto micros = ParseInt(std::string(*payload));
    if (micros) return absl::Microseconds(*micros);
  }
  const auto reason = ReasonOf(status);
  return reason ? DelayOf(*reason) : std::nullopt;
}

}  // namespace guilder::rpc
