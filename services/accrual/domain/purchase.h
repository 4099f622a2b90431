// Purchases: what a partner says of one, what makes it the same as another, and what it earns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/decision_context.h"
#include "libs/ledger/core/posting.h"
#include "libs/rules/evaluate.h"
#include "services/accrual/domain/rule_book.h"

namespace guilder::accrual {

// How long after it happened a purchase may still be posted.
inline constexpr int64_t kMaxLatenessDays = 400;
// How far a till's clock may be ahead of the programme's.
inline constexpr int64_t kMaxClockSkewUs = 10 * 60 * kMicrosPerSecond;

struct PurchaseLine {
  std::string line_id;
  std::string sku;
  int64_t quantity = 0;
  MinorUnits amount;
  std::string category;
};

// What identifies a purchase in its partner's books: an order id, or the rest.
struct ReceiptKey {
  std::string store;  // the partner's code of it
  std::string terminal;
  std::string receipt_number;
  std::string order_id;
  std::string business_date;  // "2026-01-31"
};

struct Purchase {
  ReceiptKey receipt;
  CardNumber card;
  Timestamp occurred_at;
  Currency currency{};
  std::string cashier;
  // The redemption that it carries: the hold's book and record. None for none.
  BookId redemption_book;
  RecordNumber redemption;
  std::vector<PurchaseLine> lines;
};

// What came of a purchase.
struct PurchaseOutcome {
  Points points;
  std::vector<Points> line_points;  // parallel to the lines
  int64_t rule_set = 0;             // its number; 0 when no rules were in force
  ContractId contract;
  Timestamp activates_at;  // meaningful with points only
  Timestamp expires_at = kNever;
  Points captured;
  // It gives nothing because the partner's blocks do not cover it. Not recorded: later it shows in
  // that the rules give points.
  bool point_block_exhausted = false;
};

// Whether a text holds the character NUL, which the database's text cannot: what is parked is kept
// there, for people.
bool HasNul(std::string_view text);

// Checks what needs no look at the network, and numbers lines that have no id.
//
// Refuses: kRequestMalformed, kAmountOutOfRange.
absl::Status Normalise(Purchase& purchase);

// The canonical form of all that a partner says of a purchase: the fingerprint is its digest.
// Format 1: the fields in the order of the declarations above, lines last.
std::string EncodePurchase(const Purchase& purchase);

// What a journal record keeps: the purchase and its outcome.
std::string EncodeRecorded(const std::string& encoded_purchase, const PurchaseOutcome& outcome);
struct RecordedPurchase {
  Purchase purchase;
  PurchaseOutcome outcome;
};
// INTERNAL when the bytes are not what EncodeRecorded wrote.
absl::StatusOr<RecordedPurchase> DecodeRecorded(std::string_view content);

// The bytes that two sendings of one receipt share, whatever their request ids.
std::string NaturalKeyOf(const ReceiptKey& receipt);

// Decides a purchase of a partner.
//
// Refuses, first match wins: kStoreNotFound, kTerminalNotFound, kCurrencyNotSupported,
// kOccurredAtInFuture, kOccurredTooLongAgo, kPartnerNotActive, kNoContract, kCardNotFound,
// kCardBlocked; what DecideCapture refuses; kAccountClosed. Whether the partner's blocks cover it
// is the lane's question; that they do not makes it give nothing where the contract says so.
absl::StatusOr<PurchaseOutcome> DecidePurchase(const Purchase& purchase, PartnerId partner,
                                               const RuleBook& rules,
                                               const ledger::DecisionContext& context,
                                               ledger::Posting& posting);

// The basket of a purchase, as rules see it.
rules::Basket BasketOf(const Purchase& purchase, PartnerId partner, StoreId store);

}  // namespace guilder::accrual
