#include "services/partner/domain/credential.h"

#include <algorithm>

#include "libs/base/reason.h"
#include "libs/security/certificate.h"

namespace guilder::partner {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;

absl::Status Malformed(const char* field, const char* what) {
  return Refuse(Reason::kRequestMalformed, what, {{"field", field}});
}

}  // namespace

absl::Status CheckCredential(const Credential& credential) {
  if (credential.scopes.empty()) return Malformed("scopes", "a scope is not of the list");
  if (credential.stores.size() > kMostStores) return Malformed("stores", "too many stores");
  if (credential.calls_per_second < 0 || credential.calls_per_second > kMostCallsPerSecond) {
    return Malformed("calls_per_second", "calls_per_second is negative or too large");
  }
  return absl::OkStatus();
}

absl::Status CheckMayGive(const security::Principal& giver, const Credential& given) {
  if (!giver.IsPartner()) return absl::OkStatus();
  if (given.certificate) return Refuse(Reason::kNotYours, "operators see whose certificate it is");
  if (!giver.scopes.HasAllOf(given.scopes)) {
    return Refuse(Reason::kNotYours, "the caller's own key lacks a scope");
  }
  if (giver.stores == nullptr) return absl::OkStatus();
  const bool within =
      !given.stores.empty() &&
      std::all_of(given.stores.begin(), given.stores.end(), [&](const std::string& store) {
        return std::binary_search(giver.stores->begin(), giver.stores->end(), store);
      });
  return within ? absl::OkStatus()
                : Refuse(Reason::kNotYours, "the caller's own key is not for these stores");
}

absl::Status SetCertificate(std::string_view pem, Timestamp now, Credential& credential) {
  constexpr char kField[] = "client_certificate_pem";
  const auto certificate = security::ReadCertificate(pem);
  if (!certificate) return Malformed(kField, "it is not an X.509 certificate in PEM form");
  if (certificate->not_after <= now) return Malformed(kField, "the certificate has expired");
  credential.certificate = certificate->fingerprint;
  if (!credential.expires_at || *credential.expires_at > certificate->not_after) {
    credential.expires_at = certificate->not_after;
  }
  return absl::OkStatus();
}

absl::StatusOr<Credential> Rotate(Credential& old, int32_t overlap_seconds, Timestamp now) {
  if (overlap_seconds < 0 || overlap_seconds > kMostOverlapSeconds) {
    return Malformed("overlap_seconds", "overlap_seconds is negative or too long");
  }
  if (old.revoked_at || (old.expires_at && *old.expires_at <= now)) {
    return Refuse(Reason::kWrongState, "the credential does not work any more");
  }
  Credential next = old;
  next.created_at = now;
  next.last_used_at.reset();
  const int64_t overlap = overlap_seconds == 0 ? kDefaultOverlapSeconds : overlap_seconds;
  const Timestamp until(now.value() + overlap * kMicrosPerSecond);
  if (!old.expires_at || until < *old.expires_at) old.expires_at = until;
  // What was to end on a date was issued for so long: its successor lasts as long.
  if (next.stated_end) {
    const int64_t life = next.stated_end->value() - old.created_at.value();
    next.stated_end = Timestamp(now.value() + life);
  }
  next.expires_at = next.stated_end;
  return next;
}

}  // namespace guilder::partner
