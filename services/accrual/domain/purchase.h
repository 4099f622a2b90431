// Purchases: what a partner says of one, what makes it the same as another, and what is kept of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/codec.h"
#include "libs/base/types.h"
#include "libs/rules/evaluate.h"
#include "services/accrual/domain/counters.h"

namespace guilder::accrual {

struct PurchaseLine {
  std::string line_id;
  std::string sku;
  int64_t quantity = 0;
  MinorUnits amount;
  std::string category;
  MinorUnits tax;  // of the amount
};

// What a part of a purchase was paid with. The numbers are stored.
enum class TenderKind { kMoney = 1, kPoints = 2, kVoucher = 3 };

struct Tender {
  TenderKind kind = TenderKind::kMoney;
  MinorUnits amount;
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
  // Nothing, or what sums to the lines.
  std::vector<Tender> tenders;
  // The terminal's running number of it; 0 for none.
  int64_t sequence_number = 0;
  // By how many microseconds `occurred_at` was moved, because the terminal's clock was off.
  int64_t clock_offset_us = 0;
};

// How far a terminal's clock may be off before purchases are moved by as much, and after which
// nobody knows when they happened.
inline constexpr int64_t kClockToleranceUs = 2 * 60 * kMicrosPerSecond;
inline constexpr int64_t kMaxClockOffsetUs = kMicrosPerDay;

// Moves a purchase by what the clock of its terminal, which shows `terminal_time` now, is off.
// False, and nothing is moved, when that is more than kMaxClockOffsetUs.
bool NormaliseClock(Purchase& purchase, Timestamp terminal_time, Timestamp now);

// What its partner says of it, whenever it is said: without the terminal's number, and at the time
// that the terminal stated. The fingerprint is the digest of this.
Purchase AsStated(const Purchase& purchase);

// What became of the quote that a purchase carried. The numbers are stored.
enum class QuoteOutcome { kNone = 0, kHonoured = 1, kExpired = 2 };

// What a cap that trimmed a purchase had left before it.
struct BoundCap {
  size_t cap = 0;  // In RuleSet::caps.
  Points left;

  friend bool operator==(const BoundCap&, const BoundCap&) = default;
};

// What a purchase adds to a counter.
struct CounterUse {
  CounterId counter;
  bool of_member = false;
  Points points;
};

// Points of a purchase that one partner pays for, and that may be spent in one way: a lot.
struct EarnedPart {
  rules::SpentOnly spent_only;      // as its rules say; nothing where the contract says it
  std::vector<Points> line_points;  // parallel to the lines
  // Where others than the seller pay for some of the purchase, or should, of each of its parts:
  // who pays for it, by which issuance contract, and the dates that follow from that. Else none,
  // and the purchase's.
  PartnerId issuer{};
  ContractId contract{};
  Timestamp activates_at{};
  Timestamp expires_at = kNever;

  Points points() const;
};

// Why a partner does not pay for what a rule says that it funds. The numbers are stored.
enum class WhyNotPaid { kNotActive = 1, kNoContract = 2, kExposed = 3, kExhausted = 4 };

// A funder of a purchase's rules that does not pay. None where there is no such partner.
struct AbsentFunder {
  PartnerId funder;
  WhyNotPaid why = WhyNotPaid::kNoContract;

  friend bool operator==(const AbsentFunder&, const AbsentFunder&) = default;
};

// What came of a purchase.
struct PurchaseOutcome {
  Points points;
  std::vector<Points> line_points;  // parallel to the lines
  // What the points are made of, in the order of their lots; each has some. Empty where they are
  // one lot, restricted as the contract says, or none.
  std::vector<EarnedPart> parts;
  int64_t rule_set = 0;  // its number; 0 when no rules were in force
  ContractId contract;
  // Meaningful with points only. With several lots: when all are available, when the first expires.
  Timestamp activates_at;
  Timestamp expires_at = kNever;
  // Whose shares others pay.
  std::vector<AbsentFunder> absent_funders;
  Points captured;
  // The redemption contract of what was captured, where it excludes goods or bounds the share of a
  // basket: returns keep to it. None otherwise.
  ContractId redemption_contract;
  // It gives nothing because the partner's blocks do not cover it. Not recorded: later it shows in
  // that the rules give points.
  bool point_block_exhausted = false;
  // What rules saw, so that they can be evaluated again: the member, and the caps that trimmed.
  rules::MemberFacts member;
  std::vector<BoundCap> bound_caps;
  bool base_rates_only = false;
  QuoteOutcome quote = QuoteOutcome::kNone;
  Points quoted;
  // Not recorded: what caps trimmed, and what is counted.
  Points trimmed;
  std::vector<CounterUse> counted;
};

// Whether a text holds the character NUL, which the database's text cannot: what is parked is kept
// there, for people.
bool HasNul(std::string_view text);

// Checks what needs no look at the network, and numbers lines that have no id.
//
// Refuses: kRequestMalformed, kAmountOutOfRange.
absl::Status Normalise(Purchase& purchase);

// The canonical form of all that a partner says of a purchase: the fingerprint is its digest.
// Format 1: the fields in the order of the declarations above, lines last. Format 2, only for
// purchases that state tax or tenders: each line's tax after its category, and tenders last. Format
// 3, only for purchases with a sequence number: that of format 2, and the number last. Format 4,
// only for those of a terminal whose clock was off: that of format 3, the number maybe 0, and by
// how much.
std::string EncodePurchase(const Purchase& purchase);
// INTERNAL when the bytes do not begin with what EncodePurchase wrote.
absl::StatusOr<Purchase> DecodePurchase(std::string_view encoded);

// What a journal record keeps: the purchase and its outcome. An outcome with facts that rules saw
// has them after the rest, in format 1; with the contract of a redemption at the end in format 2;
// and in format 3, which is format 2, where base rates alone gave points. Format 4, only for those
// with parts: that of format 2, whether base rates alone gave points, and the parts. Format 5, only
// where parts have issuers: that of format 4, each part with issuer, contract and dates after it,
// and the absent funders.
std::string EncodeRecorded(const std::string& encoded_purchase, const PurchaseOutcome& outcome);
struct RecordedPurchase {
  Purchase purchase;
  PurchaseOutcome outcome;
};
// INTERNAL when the bytes are not what EncodeRecorded wrote.
absl::StatusOr<RecordedPurchase> DecodeRecorded(std::string_view content);

// The bytes that two sendings of one receipt share, whatever their request ids.
std::string NaturalKeyOf(const ReceiptKey& receipt);

// The member as rules saw it, in the record and in quotes. Of the birthday it has the windows.
void EncodeMember(const rules::MemberFacts& member, Encoder& out);
rules::MemberFacts DecodeMember(Decoder& in);

}  // namespace guilder::accrual
