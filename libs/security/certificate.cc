#include "libs/security/certificate.h"

#include <ctime>
#include <memory>
#include <string>

#include <openssl/x509.h>

#include "absl/strings/escaping.h"

#include "libs/base/digest.h"
#include "libs/base/text.h"

namespace guilder::security {
namespace {

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";

// The DER form of the first certificate; empty when there is none.
std::string DerOf(std::string_view pem) {
  const auto begin = pem.find(kBegin);
  if (begin == std::string_view::npos) return {};
  const std::string_view rest = pem.substr(begin + kBegin.size());
  const auto end = rest.find(kEnd);
  std::string der;
  if (end == std::string_view::npos || !absl::Base64Unescape(ToAbsl(rest.substr(0, end)), &der)) {
    return {};
  }
  return der;
}

}  // namespace

std::optional<Digest> CertificateFingerprint(std::string_view pem) {
  const std::string der = DerOf(pem);
  if (der.empty()) return std::nullopt;
  return Sha256({der});
}

std::optional<Certificate> ReadCertificate(std::string_view pem) {
  if (pem.size() > kMaxCertificateBytes) return std::nullopt;
  const std::string der = DerOf(pem);
  if (der.empty()) return std::nullopt;
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const begin = at;
  const std::unique_ptr<X509, decltype(&X509_free)> parsed(
      d2i_X509(nullptr, &at, static_cast<long>(der.size())), &X509_free);
  // What stands after it would be in the fingerprint here and not in that of TLS.
  if (parsed == nullptr || at != begin + der.size()) return std::nullopt;
  std::tm not_after{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(parsed.get()), &not_after) != 1) return std::nullopt;
  Certificate certificate;
  certificate.fingerprint = Sha256({der});
  certificate.not_after = Timestamp(int64_t{timegm(&not_after)} * 1'000'000);
  return certificate;
}

}  // namespace guilder::security
