// The secrets that callers present, and how they are kept.
//
// A partner's API key is `gk_<credential id>_<secret>`, an operator's token `go_<operator
// id>_<secret>`. The secret is 32 random bytes in hexadecimal, so a key can be found in a text by
// its form. Only HMAC-SHA-256(pepper, key) is stored: a stolen table alone opens nothing. Keys are
// never logged.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/digest.h"
#include "libs/base/types.h"

namespace guilder::security {

// A member's is no stored key: member_token.h.
enum class KeyKind { kPartner, kOperator, kMember };

// The parts of a well-formed key; views into the text that was parsed.
struct ParsedKey {
  KeyKind kind;
  std::string_view id;
};

// A new key for a credential or operator of that id, whose id is of [a-z0-9-], 1 to 64 characters.
std::string GenerateKey(KeyKind kind, std::string_view id);

// The secret in the value of an `authorization` header: what follows "Bearer ", in any case. Empty
// when there is none; a view into the header.
std::string_view BearerIn(std::string_view authorization);

// Nothing when the text does not have the form of a key.
std::optional<ParsedKey> ParseKey(std::string_view key);

// Makes the digests under which keys are stored. Thread safe.
class KeyHasher {
 public:
  explicit KeyHasher(std::string_view pepper) : pepper_(pepper) {}

  Digest Hash(std::string_view key) const { return pepper_.Of(key); }
  // Takes the same time wherever the digests differ.
  bool Matches(std::string_view key, const Digest& stored) const;

 private:
  HmacKey pepper_;
};

// Whether the bytes are equal, in a time that depends on their length only.
bool ConstantTimeEquals(std::string_view a, std::string_view b);

// Bytes from the operating system's generator.
std::string RandomBytes(size_t count);
// Random, in lower-case hexadecimal: two characters a byte.
std::string RandomHex(size_t bytes);
// A version 7 UUID (RFC 9562): it sorts by the millisecond in which it was made.
Uuid RandomUuid();

}  // namespace guilder::security
