#include "libs/security/pin.h"

#include <algorithm>
#include <new>

#include <sodium.h>

#include "libs/base/codec.h"
#include "libs/base/digest.h"
#include "libs/security/keys.h"

namespace guilder::security {
namespace {

constexpr size_t kLeastDigits = 4;
constexpr size_t kMostDigits = 12;
constexpr size_t kCodeDigits = 8;
constexpr unsigned long long kPasses = 2;
constexpr size_t kMemoryBytes = 16 * 1024 * 1024;

const char* Chars(const Digest& digest) {
  return reinterpret_cast<const char*>(digest.data());
}

}  // namespace

bool PinHasher::IsPin(std::string_view pin) {
  return pin.size() >= kLeastDigits && pin.size() <= kMostDigits &&
         std::all_of(pin.begin(), pin.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string PinHasher::Hash(AccountId account, std::string_view pin) const {
  const Digest keyed = Keyed("pin", account, pin);
  char stored[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(stored, Chars(keyed), keyed.size(), kPasses, kMemoryBytes,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    throw std::bad_alloc();
  }
  return stored;
}

bool PinHasher::Matches(AccountId account, std::string_view pin, const std::string& stored) const {
  const Digest keyed = Keyed("pin", account, pin);
  return crypto_pwhash_str_verify(stored.c_str(), Chars(keyed), keyed.size()) == 0;
}

std::string PinHasher::NewCode() {
  std::string code;
  while (code.size() < kCodeDigits) {
    // 250 values are as many of each digit; the rest would favour some.
    const auto byte = static_cast<unsigned char>(RandomBytes(1)[0]);
    if (byte < 250) code += static_cast<char>('0' + byte % 10);
  }
  return code;
}

Digest PinHasher::HashCode(AccountId account, std::string_view code) const {
  return Keyed("code", account, code);
}

Digest PinHasher::Keyed(std::string_view purpose, AccountId account,
                        std::string_view secret) const {
  Encoder message;
  message.Bytes(purpose).Id(account).Bytes(secret);
  return HmacSha256(key_, message.str());
}

}  // namespace guilder::security
