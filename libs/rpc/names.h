// Resource names, request ids, card numbers and page tokens.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"

namespace guilder::rpc {

// The variable parts of a name: ParseName("partners/{}/stores/{}", "partners/fresh/stores/s1")
// gives {"fresh", "s1"}. Nothing when the name does not fit the pattern. A part has 1 to 128
// characters of [A-Za-z0-9._~-].
std::optional<std::vector<std::string>> ParseName(std::string_view pattern, std::string_view name);

// A part of a name that is a whole positive number, in its one spelling: without leading zeros.
std::optional<int64_t> ParseNumber(std::string_view part);

// ParseName for names whose parts are such numbers.
std::optional<std::vector<int64_t>> ParseNumberedName(std::string_view pattern,
                                                      std::string_view name);

// The inverse. There are as many parts as the pattern has places.
std::string FormatName(std::string_view pattern, const std::vector<std::string>& parts);

// kRequestIdMalformed unless the text is a UUID other than zero.
absl::StatusOr<Uuid> ParseRequestId(std::string_view text);

// The number of a card as a till reads it: 12 to 19 digits. Errors: kCardMissing for none,
// kCardNumberMistyped.
absl::StatusOr<CardNumber> ParseCardNumber(std::string_view digits);

// Where a list continues: opaque to the caller, and of use only with the list and filter that gave
// it.
//
// `list` names the method and everything of the request that selects or orders; `position` is what
// the next page starts after.
class PageTokens {
 public:
  // `key`: Secrets::Derive("guilder/page-token/1").
  explicit PageTokens(std::string key) : key_(std::move(key)) {}

  std::string Make(std::string_view list, std::string_view position) const;
  // An empty token is the first page: an empty position. kPageTokenInvalid for a forged token, or
  // one of another list.
  absl::StatusOr<std::string> Position(std::string_view list, std::string_view token) const;

 private:
  std::string Seal(std::string_view list, std::string_view position) const;
  std::string key_;
};

// The number of items to give: 50 for none, at most 1,000. kRequestMalformed when negative.
absl::StatusOr<int> PageSize(int asked);

}  // namespace guilder::rpc
