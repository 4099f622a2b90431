// Client certificates (X.509) as credentials: what identifies one, and until when it is good.
//
// That a certificate is of a trusted authority, and that the caller has its key, is TLS's to check:
// these functions look at what is written in it.
#pragma once

#include <optional>
#include <string_view>

#include "libs/base/types.h"

namespace guilder::security {

inline constexpr size_t kMaxCertificateBytes = 16 * 1024;

struct Certificate {
  // SHA-256 over its DER form, as `openssl x509 -fingerprint -sha256` shows it.
  Digest fingerprint{};
  Timestamp not_after;
};

// The first certificate of a PEM text. Nothing when there is none, it is not well formed, or the
// text is longer than kMaxCertificateBytes.
std::optional<Certificate> ReadCertificate(std::string_view pem);

// Only the fingerprint, of a PEM text that TLS has given; nothing when it has no certificate.
std::optional<Digest> CertificateFingerprint(std::string_view pem);

}  // namespace guilder::security
