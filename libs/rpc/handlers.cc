#include "libs/rpc/handlers.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "grpc/grpc_security_constants.h"

#include "libs/rpc/status.h"
#include "libs/security/certificate.h"
#include "libs/security/keys.h"
#include "libs/telemetry/metrics.h"

namespace guilder::rpc {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

std::string_view View(grpc::string_ref text) {
  return {text.data(), text.size()};
}

// The secret that the caller presents; empty when there is none.
std::string_view BearerOf(const grpc::CallbackServerContext& context) {
  const auto header = context.client_metadata().find("authorization");
  if (header == context.client_metadata().end()) return {};
  return security::BearerIn(View(header->second));
}

// The fingerprint of the client certificate that TLS has checked; nothing without one.
std::optional<Digest> CertificateOf(const grpc::CallbackServerContext& context) {
  const auto peer = context.auth_context();
  if (peer == nullptr || !peer->IsPeerAuthenticated()) return std::nullopt;
  const auto pem = peer->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pem.empty()) return std::nullopt;
  return security::CertificateFingerprint(View(pem.front()));
}

absl::Time DeadlineOf(const grpc::CallbackServerContext& context, absl::Duration longest) {
  const absl::Time latest = absl::Now() + longest;
  const auto stated = context.deadline();
  if (stated == std::chrono::system_clock::time_point::max()) return latest;
  return std::min(latest, absl::FromChrono(stated));
}

// Refusals are counted by reason. The counters are looked up by name: refusals are few.
void CountRefusal(const Method& method, const absl::Status& status) {
  const auto reason = ReasonOf(status);
  telemetry::GetCounter("guilder_rpc_calls_total", "Calls that ended, by how",
                        {{"method", method.full_name},
                         {"code", absl::StatusCodeToString(status.code())},
                         {"reason", reason ? std::string(ReasonName(*reason)) : std::string()}})
      .Add();
}

}  // namespace

CallState::CallState(const Methods& methods, std::string_view method,
                     grpc::CallbackServerContext* context)
    : runtime_(methods.runtime()), method_(methods[method]), context_(context) {
  call_.peer_ = context->peer();
  call_.deadline_ = DeadlineOf(*context, runtime_.options().max_call_duration);
}

void CallState::LimitItemsAlone() {
  call_.deadline_ = DeadlineOf(*context_, absl::InfiniteDuration());
  call_.item_limit_ = runtime_.options().max_call_duration;
}

void CallState::Start(std::shared_ptr<CallState> self) {
  if (runtime_.draining()) return OnRefused(Refuse(Reason::kDraining));
  entered_ = runtime_.EnterCall();
  if (!entered_) return OnRefused(Refuse(Reason::kQueueFull));

  const std::string_view bearer = BearerOf(*context_);
  security::Authenticator& authenticator = runtime_.authenticator();
  // Whoever asks whether a service is well need not be known, least of all when the database is
  // away.
  if (bearer.empty() && method_.permission->anonymous) return Authenticated(Principal());
  if (bearer.empty()) return Authenticated(WithoutBearer(authenticator));
  absl::StatusOr<Principal> principal = authenticator.Authenticate(bearer);
  if (principal.ok() || ReasonOf(principal.status()) != Reason::kCredentialsInvalid) {
    return Authenticated(std::move(principal));
  }
  if (const auto wait = runtime_.failed_authentications().Note(call_.peer_)) {
    return OnRefused(WithRetryDelay(Refuse(Reason::kRateLimited, "too many unknown keys"), *wait));
  }
  authenticator.AuthenticateFresh(std::string(bearer),
                                  [self = std::move(self)](absl::StatusOr<Principal> fresh) {
                                    self->Authenticated(std::move(fresh));
                                  });
}

absl::StatusOr<Principal> CallState::WithoutBearer(security::Authenticator& authenticator) const {
  const auto certificate = CertificateOf(*context_);
  if (!certificate) return Principal();
  absl::StatusOr<Principal> principal = authenticator.AuthenticateCertificate(*certificate);
  // One that is nobody's credential admits a connection, and says nothing.
  const bool nobodys = ReasonOf(principal.status()) == Reason::kCredentialsInvalid;
  return nobodys ? Principal() : principal;
}

void CallState::Authenticated(absl::StatusOr<Principal> principal) {
  if (!principal.ok()) return OnRefused(principal.status());
  if (const absl::Status status = CheckPermission(*method_.permission, *principal); !status.ok()) {
    return OnRefused(status);
  }
  if (principal->use != nullptr && principal->use->rate().calls_per_second() > 0) {
    if (const absl::Status status = CheckRate(*principal->use); !status.ok()) {
      return OnRefused(status);
    }
  }
  call_.principal_ = *std::move(principal);
  OnAdmitted();
}

void CallState::TellRate(int64_t limit, const security::RateLimit::Verdict& verdict) {
  const int64_t reset_s = (verdict.wait_ns + kNanosPerSecond - 1) / kNanosPerSecond;
  call_.SetTrailingMetadata(kRateLimitKey, absl::StrCat(limit));
  call_.SetTrailingMetadata(kRateRemainingKey, absl::StrCat(verdict.remaining));
  call_.SetTrailingMetadata(kRateResetKey, absl::StrCat(reset_s));
}

absl::Duration CallState::TakeItem() {
  const auto& use = call_.principal_.use;
  if (use == nullptr || use->rate().calls_per_second() <= 0) return absl::ZeroDuration();
  const auto verdict =
      use->rate().Take(std::chrono::steady_clock::now().time_since_epoch().count());
  return verdict.admitted ? absl::ZeroDuration() : absl::Nanoseconds(verdict.wait_ns);
}

void CallState::TellRateOfItems() {
  const auto& use = call_.principal_.use;
  const int64_t limit = use == nullptr ? 0 : use->rate().calls_per_second();
  if (limit > 0) context_->AddInitialMetadata(kRateLimitKey, absl::StrCat(limit));
}

absl::Status CallState::CheckRate(security::CredentialUse& use) {
  const int64_t limit = use.rate().calls_per_second();
  const auto verdict = use.rate().Take(started_.time_since_epoch().count());
  // Whoever is far from the limit need not be told of it.
  if (verdict.admitted && verdict.remaining >= limit / 2) return absl::OkStatus();
  TellRate(limit, verdict);
  if (verdict.admitted) return absl::OkStatus();
  return WithRetryDelay(
      Refuse(Reason::kRateLimited, {}, {{"calls_per_second", absl::StrCat(limit)}}),
      absl::Nanoseconds(verdict.wait_ns));
}

absl::Status CallState::CheckStillAdmitted() const {
  const auto& use = call_.principal_.use;
  return use == nullptr || use->works() ? absl::OkStatus() : Refuse(Reason::kCredentialsInvalid);
}

grpc::Status CallState::Close(const absl::Status& status) {
  if (entered_) runtime_.LeaveCall();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started_;
  method_.seconds->Observe(took.count());
  for (const auto& [key, value] : call_.trailing_metadata()) {
    context_->AddTrailingMetadata(key, value);
  }
  if (status.ok()) {
    method_.succeeded->Add();
    return grpc::Status::OK;
  }
  CountRefusal(method_, status);
  return ToGrpcStatus(status);
}

}  // namespace guilder::rpc
