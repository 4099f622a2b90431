// Quotes: what a till was told that a purchase would earn, as a token that it gives back.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/rules/evaluate.h"
#include "services/accrual/domain/purchase.h"

namespace guilder::accrual {

// How long a quote binds.
inline constexpr int64_t kQuoteLifeUs = 5 * 60 * kMicrosPerSecond;

// What binds: rules and what they saw of the member. Caps and budgets do not.
struct Quote {
  Uuid id{};
  PartnerId partner;
  Digest basket{};
  int64_t rule_set = 0;  // 0 when no rules were in force
  rules::MemberFacts member;
  Points points;
  Timestamp expires_at;

  friend bool operator==(const Quote&, const Quote&) = default;
};

// Digests what a quote is for: card, store, currency, lines and tenders.
Digest BasketDigest(const Purchase& purchase);

// Seals and opens tokens. Thread safe.
class QuoteSealer {
 public:
  // `key` has 32 bytes.
  explicit QuoteSealer(std::string key) : key_(std::move(key)) {}

  std::string Seal(const Quote& quote) const;
  // Error: kQuoteInvalid, for what this installation did not seal for this partner and purchase.
  absl::StatusOr<Quote> Open(std::string_view token, PartnerId partner,
                             const Purchase& purchase) const;

 private:
  const std::string key_;
};

}  // namespace guilder::accrual
