#include "libs/rpc/failed_authentications.h"

#include <chrono>
#include <functional>

#include "libs/telemetry/metrics.h"

namespace guilder::rpc {

FailedAuthentications::FailedAuthentications() {
  for (security::RateLimit& place : places_) place.SetCallsPerSecond(kFreePerSecond);
}

std::optional<absl::Duration> FailedAuthentications::Note(std::string_view peer) {
  static telemetry::Counter& unknown = telemetry::GetCounter(
      "guilder_authentication_failures_total", "Callers whose key was not known, by what was done",
      {{"then", "looked_for"}});
  static telemetry::Counter& refused = telemetry::GetCounter(
      "guilder_authentication_failures_total", "Callers whose key was not known, by what was done",
      {{"then", "refused"}});
  const std::string_view address = peer.substr(0, peer.rfind(':'));
  const int64_t now_ns = std::chrono::steady_clock::now().time_since_epoch().count();
  const auto verdict = places_[std::hash<std::string_view>()(address) % kPlaces].Take(now_ns);
  (verdict.admitted ? unknown : refused).Add();
  if (verdict.admitted) return std::nullopt;
  return absl::Nanoseconds(verdict.wait_ns);
}

}  // namespace guilder::rpc
