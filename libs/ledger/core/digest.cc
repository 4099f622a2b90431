#include "libs/ledger/core/digest.h"

#include <array>
#include <cstring>
#include <memory>

#include <openssl/evp.h>

namespace guilder::ledger {
namespace {

constexpr size_t kBlockSize = 64;

// Fetched once: to look the algorithm up for each digest costs more than a short digest.
const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

}  // namespace

Digest Sha256(std::initializer_list<std::string_view> parts) {
  thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  Digest digest;
  EVP_DigestInit_ex2(context.get(), Algorithm(), nullptr);
  for (const std::string_view part : parts) {
    EVP_DigestUpdate(context.get(), part.data(), part.size());
  }
  EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
  return digest;
}

Digest HmacSha256(std::string_view key, std::string_view message) {
  std::array<char, kBlockSize> inner{};
  if (key.size() > kBlockSize) {
    const Digest shorter = Sha256({key});
    std::memcpy(inner.data(), shorter.data(), shorter.size());
  } else {
    std::memcpy(inner.data(), key.data(), key.size());
  }
  std::array<char, kBlockSize> outer = inner;
  for (char& byte : inner) byte ^= 0x36;
  for (char& byte : outer) byte ^= 0x5c;
  const Digest digest = Sha256({{inner.data(), inner.size()}, message});
  return Sha256({{outer.data(), outer.size()},
                 {reinterpret_cast<const char*>(digest.data()), digest.size()}});
}

}  // namespace guilder::ledger
