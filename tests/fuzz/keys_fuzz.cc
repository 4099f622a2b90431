// The authorization header, and the API keys and tokens in it.
#include <string>

#include "libs/security/keys.h"
#include "tests/fuzz/property.h"

namespace guilder::security {
namespace {

constexpr size_t kSecretCharacters = 64;

const char* PrefixOf(KeyKind kind) {
  switch (kind) {
    case KeyKind::kPartner:
      return "gk_";
    case KeyKind::kOperator:
      return "go_";
    case KeyKind::kMember:
      return "gm_";
  }
  return "";
}

void CheckKey(std::string_view key) {
  const std::optional<ParsedKey> parsed = ParseKey(key);
  if (!parsed) return;
  // The parts are the whole: nothing else is hidden in a key.
  std::string again = PrefixOf(parsed->kind);
  again.append(parsed->id).append("_").append(key.substr(key.size() - kSecretCharacters));
  FUZZ_CHECK(again == key);
  FUZZ_CHECK(!parsed->id.empty() && parsed->id.size() <= 64);
  FUZZ_CHECK(parsed->id.find('_') == std::string_view::npos);

  static const KeyHasher& hasher = *new KeyHasher("pepper");
  const Digest stored = hasher.Hash(key);
  FUZZ_CHECK(hasher.Matches(key, stored));
  again.back() = again.back() == '0' ? '1' : '0';
  FUZZ_CHECK(ParseKey(again).has_value());
  FUZZ_CHECK(!hasher.Matches(again, stored));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view header = fuzz::View(data, size);
  const std::string_view bearer = BearerIn(header);
  FUZZ_CHECK(header.substr(header.size() - bearer.size()) == bearer);
  CheckKey(bearer);
  CheckKey(header);
  return 0;
}

}  // namespace guilder::security
