// What a purchase earns: the rules of its time, over what is known of the member and its caps.
#pragma once

#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/decision_context.h"
#include "libs/ledger/core/posting.h"
#include "libs/rules/evaluate.h"
#include "services/accrual/domain/purchase.h"
#include "services/accrual/domain/quote.h"
#include "services/accrual/domain/rule_book.h"

namespace guilder::accrual {

// How long after it happened a purchase may still be posted.
inline constexpr int64_t kMaxLatenessDays = 400;
// How far a till's clock may be ahead of the programme's.
inline constexpr int64_t kMaxClockSkewUs = 10 * 60 * kMicrosPerSecond;

// What a member's counters have counted.
using MemberCounts = absl::flat_hash_map<CounterId, Points>;

// What a purchase is decided over besides what it says and its account.
struct EarningTerms {
  const RuleBook& rules;
  // At the time of the purchase.
  rules::MemberFacts member{};
  MemberCounts counts{};
  // The quote that it carries, opened for it; and whether another purchase was recorded with it.
  std::optional<Quote> quote{};
  bool quote_used = false;
};

// Decides a purchase of a partner. Caps of members are trimmed to what `terms.counts` leaves, those
// of all members to what the context knows to be left of their limits; what is asked of those is in
// the outcome.
//
// What rules say that others fund is theirs to pay under their own contracts, as far as they can
// (FindFunderContract); which cannot is in the outcome, too.
//
// Refuses, first match wins: kStoreNotFound, kTerminalNotFound, kCurrencyNotSupported,
// kOccurredAtInFuture, kOccurredTooLongAgo, kPartnerNotActive, kNoContract, kCardNotFound,
// kCardBlocked, kQuoteUsed; what DecideCapture refuses; kAccountClosed. Whether the partner's
// blocks cover it is the lane's question; that they do not makes it give nothing where the contract
// says so.
absl::StatusOr<PurchaseOutcome> DecidePurchase(const Purchase& purchase, PartnerId partner,
                                               const EarningTerms& terms,
                                               const ledger::DecisionContext& context,
                                               ledger::Posting& posting);

// A lot that a purchase gives.
struct EarnedLot {
  Points points;
  PartnerId issuer;
  // As far as it is known to the configuration.
  const ledger::Contract* contract = nullptr;
  Timestamp activates_at;
  Timestamp expires_at = kNever;
  ledger::Restriction restricted_to{};
};
// In the order of their ids; none without points. Points into the configuration.
std::vector<EarnedLot> LotsOf(const PurchaseOutcome& outcome, PartnerId seller,
                              const ledger::Configuration& configuration);

// The basket of a purchase, as rules see it. Points into the purchase.
rules::Basket BasketOf(const Purchase& purchase, PartnerId partner, const ledger::Store& store);

// A recorded purchase, evaluated again by the rules that it was recorded under.
struct Replay {
  rules::Basket basket;  // points into the purchase
  rules::Facts facts;
  rules::Award award;
};
Replay ReplayPurchase(const RecordedPurchase& recorded, PartnerId partner,
                      const ledger::Store& store, const rules::CompiledRules& rules);

}  // namespace guilder::accrual
