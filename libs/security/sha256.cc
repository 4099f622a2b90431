#include "libs/security/sha256.h"

#include <sodium.h>

namespace guilder::security {

Digest Sha256(std::string_view bytes) {
  Digest digest;
  static_assert(sizeof(Digest) == crypto_hash_sha256_BYTES);
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                     bytes.size());
  return digest;
}

}  // namespace guilder::security
