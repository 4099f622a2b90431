// Sealing of personal data: XChaCha20-Poly1305, a key for each person, sealed under the
// installation's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace guilder::security {

// A fresh 32-byte key.
std::string NewSealingKey();

// Encrypts and authenticates `plaintext` under a key of 32 bytes. `context` says what and whose it
// is: it is not kept in the result, and opening needs the same, so that one person's data cannot
// pass for another's. The result is a version byte, a random nonce of 24 bytes, the ciphertext and
// a tag of 16 bytes.
std::string Seal(std::string_view key, std::string_view context, std::string_view plaintext);

// The plaintext; nothing when key or context differ, or the bytes were changed.
std::optional<std::string> Open(std::string_view key, std::string_view context,
                                std::string_view sealed);

}  // namespace guilder::security
