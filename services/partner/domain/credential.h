// An API key of a partner, without the key, or a client certificate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/security/principal.h"

namespace guilder::partner {

// Its times are those of the database's own clock: a key ages in real time, also where the
// programme's clock was moved.
struct Credential {
  std::string id;
  std::string display_name;
  Timestamp created_at;
  std::optional<Timestamp> expires_at;
  std::optional<Timestamp> revoked_at;
  security::Scopes scopes = security::kUsualScopes;
  // Codes of the stores that it is for; none for all.
  std::vector<std::string> stores;
  int32_t calls_per_second = 0;  // 0 for what the server allows.
  std::optional<Timestamp> last_used_at;
  // The fingerprint of the certificate that it is; none for an API key.
  std::optional<Digest> certificate{};
  // The end that was stated for it. It expires sooner where its certificate does, or its overlap.
  std::optional<Timestamp> stated_end{};
};

inline constexpr size_t kMostStores = 100;
inline constexpr int32_t kMostCallsPerSecond = 1'000'000;
inline constexpr int32_t kDefaultOverlapSeconds = 86'400;
inline constexpr int32_t kMostOverlapSeconds = 90 * 86'400;

// Error: REQUEST_MALFORMED, naming the field.
absl::Status CheckCredential(const Credential& credential);

// Nobody makes a key that can do more than the one that it is asked for with: a partner's own
// credential gives none but its own scopes and stores. Operators give any, and they alone make
// certificates credentials: a certificate is no secret, so a partner could name another's, whose
// calls would then be taken for its own. Error: NOT_YOURS.
absl::Status CheckMayGive(const security::Principal& giver, const Credential& given);

// Makes the certificate the credential, which then ends no later than it does.
//
// Errors, REQUEST_MALFORMED naming the field: it is not a certificate, or its time is over.
absl::Status SetCertificate(std::string_view pem, Timestamp now, Credential& credential);

// Lets `old` work until the overlap is over, or until it would have expired anyway, and gives what
// follows it: the same rights, without an id, for as long as was stated for the old one.
//
// Errors: REQUEST_MALFORMED for an overlap that is negative or too long; WRONG_STATE when it was
// revoked or has expired.
absl::StatusOr<Credential> Rotate(Credential& old, int32_t overlap_seconds, Timestamp now);

}  // namespace guilder::partner
