#include "libs/security/pseudonym.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "libs/base/codec.h"
#include "libs/base/text.h"

namespace guilder::security {
namespace {

constexpr std::string_view kPrefix = "p-";
constexpr size_t kWordDigits = 16;

std::optional<uint64_t> ParseWord(std::string_view digits) {
  const auto bytes = FromHex(digits);
  if (!bytes || bytes->size() != sizeof(uint64_t)) return std::nullopt;
  uint64_t word = 0;
  for (const char byte : *bytes) word = word << 8 | static_cast<unsigned char>(byte);
  return word;
}

}  // namespace

uint64_t Pseudonyms::Word(char purpose, PartnerId partner, uint64_t value) const {
  Encoder encoder;
  encoder.Bytes(std::string_view(&purpose, 1)).Id(partner).Unsigned(value);
  const Digest digest = hasher_.Hash(encoder.str());
  uint64_t word = 0;
  std::memcpy(&word, digest.data(), sizeof word);
  return word;
}

std::string Pseudonyms::Of(PartnerId partner, AccountId account) const {
  const auto value = static_cast<uint64_t>(account.value());
  const uint64_t tag = Word('t', partner, value);
  return absl::StrCat("p-", absl::StrFormat("%016x%016x", tag, value ^ Word('p', partner, tag)));
}

std::optional<AccountId> Pseudonyms::Open(PartnerId partner, std::string_view pseudonym) const {
  if (pseudonym.size() != kPrefix.size() + 2 * kWordDigits ||
      pseudonym.substr(0, kPrefix.size()) != kPrefix) {
    return std::nullopt;
  }
  const auto tag = ParseWord(pseudonym.substr(kPrefix.size(), kWordDigits));
  const auto padded = ParseWord(pseudonym.substr(kPrefix.size() + kWordDigits));
  if (!tag || !padded) return std::nullopt;
  const AccountId account(static_cast<int64_t>(*padded ^ Word('p', partner, *tag)));
  // In its one spelling only, so that it can be compared as text.
  if (Of(partner, account) != pseudonym) return std::nullopt;
  return account;
}

}  // namespace guilder::security
