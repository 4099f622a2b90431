// OpenSSL 3 calls these functions deprecated in favour of its providers, whose look-ups and
// allocations cost as much as a short digest itself. A state of theirs is a plain struct, so that
// the state after a key can be kept.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "libs/base/digest.h"

#include <array>
#include <cstring>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace guilder {
namespace {

constexpr size_t kBlockSize = SHA256_CBLOCK;

Digest Finish(SHA256_CTX& context) {
  Digest digest;
  SHA256_Final(digest.data(), &context);
  return digest;
}

}  // namespace

struct HmacKey::States {
  SHA256_CTX inner;
  SHA256_CTX outer;
};

HmacKey::HmacKey(std::string_view key) : states_(std::make_unique<States>()) {
  std::array<char, kBlockSize> block{};
  if (key.size() > kBlockSize) {
    const Digest shorter = Sha256({key});
    std::memcpy(block.data(), shorter.data(), shorter.size());
  } else {
    std::memcpy(block.data(), key.data(), key.size());
  }
  const auto begin = [&](SHA256_CTX& context, char mask) {
    std::array<char, kBlockSize> masked = block;
    for (char& byte : masked) byte = static_cast<char>(byte ^ mask);
    SHA256_Init(&context);
    SHA256_Update(&context, masked.data(), masked.size());
    OPENSSL_cleanse(masked.data(), masked.size());
  };
  begin(states_->inner, 0x36);
  begin(states_->outer, 0x5c);
  OPENSSL_cleanse(block.data(), block.size());
}

HmacKey::~HmacKey() {
  if (states_ != nullptr) OPENSSL_cleanse(states_.get(), sizeof(States));
}
HmacKey::HmacKey(HmacKey&&) noexcept = default;
HmacKey& HmacKey::operator=(HmacKey&& other) noexcept {
  std::swap(states_, other.states_);
  return *this;
}

Digest HmacKey::Of(std::string_view message) const {
  SHA256_CTX inner = states_->inner;
  SHA256_Update(&inner, message.data(), message.size());
  const Digest digest = Finish(inner);
  SHA256_CTX outer = states_->outer;
  SHA256_Update(&outer, digest.data(), digest.size());
  return Finish(outer);
}

Digest Sha256(std::initializer_list<std::string_view> parts) {
  SHA256_CTX context;
  SHA256_Init(&context);
  for (const std::string_view part : parts) SHA256_Update(&context, part.data(), part.size());
  return Finish(context);
}

Digest HmacSha256(std::string_view key, std::string_view message) {
  return HmacKey(key).Of(message);
}

}  // namespace guilder
