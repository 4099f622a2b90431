#include "libs/rpc/names.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "libs/base/codec.h"
#include "libs/base/reason.h"
#include "libs/base/text.h"
#include "libs/security/keys.h"

namespace guilder::rpc {
namespace {

constexpr std::string_view kPlace = "{}";
constexpr size_t kMaxPartLength = 128;
constexpr size_t kFewestCardDigits = 12;
constexpr size_t kMostCardDigits = 19;
constexpr size_t kMaxTokenLength = 1024;
constexpr size_t kSealBytes = 16;
constexpr int kDefaultPageSize = 50;
constexpr int kLargestPageSize = 1000;

bool IsPartCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '~' || c == '-';
}

// Takes a part off the front of the name.
std::optional<std::string> TakePart(std::string_view& name) {
  const auto end = std::find_if_not(name.begin(), name.end(), IsPartCharacter);
  const auto length = static_cast<size_t>(end - name.begin());
  if (length == 0 || length > kMaxPartLength) return std::nullopt;
  std::string part(name.substr(0, length));
  name.remove_prefix(length);
  return part;
}

}  // namespace

std::optional<std::vector<std::string>> ParseName(std::string_view pattern, std::string_view name) {
  std::vector<std::string> parts;
  while (!pattern.empty()) {
    const std::string_view literal = pattern.substr(0, pattern.find(kPlace));
    if (name.substr(0, literal.size()) != literal) return std::nullopt;
    name.remove_prefix(literal.size());
    pattern.remove_prefix(literal.size());
    if (pattern.empty()) break;
    auto part = TakePart(name);
    if (!part) return std::nullopt;
    parts.push_back(*std::move(part));
    pattern.remove_prefix(kPlace.size());
  }
  if (!name.empty()) return std::nullopt;
  return parts;
}

std::optional<int64_t> ParseNumber(std::string_view part) {
  if (part.empty() || part.front() < '1' || part.front() > '9') return std::nullopt;
  return ParseInt(part);
}

std::optional<std::vector<int64_t>> ParseNumberedName(std::string_view pattern,
                                                      std::string_view name) {
  const auto parts = ParseName(pattern, name);
  if (!parts) return std::nullopt;
  std::vector<int64_t> numbers;
  for (const std::string& part : *parts) {
    const auto number = ParseNumber(part);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

std::string FormatName(std::string_view pattern, const std::vector<std::string>& parts) {
  std::string name;
  for (const std::string& part : parts) {
    const size_t place = pattern.find(kPlace);
    name.append(pattern.substr(0, place)).append(part);
    pattern.remove_prefix(place + kPlace.size());
  }
  return name.append(pattern);
}

absl::StatusOr<Uuid> ParseRequestId(std::string_view text) {
  const auto uuid = ParseUuid(text);
  if (!uuid || *uuid == Uuid{}) return Refuse(Reason::kRequestIdMalformed);
  return *uuid;
}

absl::StatusOr<CardNumber> ParseCardNumber(std::string_view digits) {
  if (digits.empty()) return Refuse(Reason::kCardMissing);
  const auto number = ParseInt(digits);
  if (digits.size() < kFewestCardDigits || digits.size() > kMostCardDigits ||
      digits.front() < '1' || !number || !LuhnIsValid(digits)) {
    return Refuse(Reason::kCardNumberMistyped);
  }
  return CardNumber(*number);
}

std::string PageTokens::Seal(std::string_view list, std::string_view position) const {
  Encoder sealed;
  sealed.Bytes(list).Bytes(position);
  const Digest digest = security::KeyHasher(key_).Hash(sealed.str());
  return std::string(AsView(digest).substr(0, kSealBytes));
}

std::string PageTokens::Make(std::string_view list, std::string_view position) const {
  std::string bytes = Seal(list, position);
  bytes.append(position);
  std::string token;
  absl::WebSafeBase64Escape(bytes, &token);
  return token;
}

absl::StatusOr<std::string> PageTokens::Position(std::string_view list,
                                                 std::string_view token) const {
  if (token.empty()) return std::string();
  std::string bytes;
  if (token.size() > kMaxTokenLength || !absl::WebSafeBase64Unescape(ToAbsl(token), &bytes) ||
      bytes.size() < kSealBytes) {
    return Refuse(Reason::kPageTokenInvalid);
  }
  const std::string position = bytes.substr(kSealBytes);
  const std::string_view seal = std::string_view(bytes).substr(0, kSealBytes);
  if (!security::ConstantTimeEquals(seal, Seal(list, position))) {
    return Refuse(Reason::kPageTokenInvalid);
  }
  return position;
}

absl::StatusOr<int> PageSize(int asked) {
  if (asked < 0) return Refuse(Reason::kRequestMalformed, "page_size is negative");
  if (asked == 0) return kDefaultPageSize;
  return std::min(asked, kLargestPageSize);
}

}  // namespace guilder::rpc
