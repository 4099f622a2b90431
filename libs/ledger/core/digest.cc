#include "libs/ledger/core/digest.h"

#include <memory>

#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace guilder::ledger {

Digest Sha256(std::initializer_list<std::string_view> parts) {
  // A context for each thread: making one costs more than a short digest.
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  Digest digest;
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  for (const std::string_view part : parts) {
    EVP_DigestUpdate(context.get(), part.data(), part.size());
  }
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return digest;
}

Digest HmacSha256(std::string_view key, std::string_view message) {
  Digest digest;
  unsigned size = digest.size();
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(),
       &size);
  return digest;
}

}  // namespace guilder::ledger
