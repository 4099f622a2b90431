#include "libs/security/envelope.h"

#include <cstdlib>

#include <sodium.h>

#include "libs/security/keys.h"

namespace guilder::security {
namespace {

constexpr char kVersion = 1;
constexpr size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr size_t kHeaderBytes = 1 + kNonceBytes;

const unsigned char* Unsigned(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* Unsigned(char* bytes) {
  return reinterpret_cast<unsigned char*>(bytes);
}

// A key of another size is a mistake in our code.
void NeedKey(std::string_view key) {
  if (key.size() != kKeyBytes) std::abort();
}

}  // namespace

std::string NewSealingKey() {
  return RandomBytes(kKeyBytes);
}

std::string Seal(std::string_view key, std::string_view context, std::string_view plaintext) {
  NeedKey(key);
  std::string sealed(1, kVersion);
  // So long a nonce may be random: it never repeats.
  sealed += RandomBytes(kNonceBytes);
  sealed.resize(kHeaderBytes + plaintext.size() + kTagBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      Unsigned(sealed.data() + kHeaderBytes), nullptr, Unsigned(plaintext), plaintext.size(),
      Unsigned(context), context.size(), nullptr, Unsigned(sealed.data() + 1), Unsigned(key));
  return sealed;
}

std::optional<std::string> Open(std::string_view key, std::string_view context,
                                std::string_view sealed) {
  NeedKey(key);
  if (sealed.size() < kHeaderBytes + kTagBytes || sealed.front() != kVersion) return std::nullopt;
  const std::string_view nonce = sealed.substr(1, kNonceBytes);
  const std::string_view ciphertext = sealed.substr(kHeaderBytes);
  std::string plaintext(ciphertext.size() - kTagBytes, '\0');
  const int opened = crypto_aead_xchacha20poly1305_ietf_decrypt(
      Unsigned(plaintext.data()), nullptr, nullptr, Unsigned(ciphertext), ciphertext.size(),
      Unsigned(context), context.size(), Unsigned(nonce), Unsigned(key));
  if (opened != 0) return std::nullopt;
  return plaintext;
}

}  // namespace guilder::security
