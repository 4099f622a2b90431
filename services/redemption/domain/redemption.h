// Paying with points: what partners ask, and how it is decided. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/decision_context.h"
#include "libs/ledger/core/payable.h"
#include "libs/ledger/core/posting.h"

namespace guilder::redemption {

// A redemption is named by the record that authorized it.
struct RedemptionId {
  BookId book;
  RecordNumber number;
  friend bool operator==(const RedemptionId&, const RedemptionId&) = default;
};

// What each request asks, but for its request id. Checked for its form, with defaults filled in.
struct Authorization {
  std::string partner_slug;
  std::string store_code;
  CardNumber card;
  Points points;
  int time_to_live_seconds = 0;
  std::string reference;
  // What is to be paid, and in what; no lines when the till does not say.
  Currency currency{};
  std::vector<ledger::BasketLine> basket;
  // Whether the points are taken at once.
  bool capture = false;
  // What the member pays from; empty when the till does not say.
  std::string device;
  // When the member paid, where the till tells of it late.
  std::optional<Timestamp> occurred_at{};
};

struct Capture {
  RedemptionId redemption;
  Points points;  // zero for all that is held
  bool final = false;
};

struct Void {
  RedemptionId redemption;
};

struct Refund {
  RedemptionId redemption;
  Points points;
};

// What somebody decided of a redemption that was in review.
struct ReviewDecision {
  RedemptionId redemption;
  bool released = false;
  // Whether it is captured when it is released, because it was to be captured at once.
  bool captures = false;
  // When it was authorized: what it is about happened then.
  Timestamp occurred_at;
};

// The contents that fingerprints digest and the journal keeps; README.md lists the fields.
std::string Encode(const Authorization& authorization);
std::string Encode(const Capture& capture);
std::string Encode(const Void& voiding);
std::string Encode(const Refund& refund);
std::string Encode(const ReviewDecision& decision);
// What the record of an authorization keeps: the above, and the version of the policy and the order
// of consumption that it was decided under.
std::string EncodeDecided(const Authorization& authorization,
                          const ledger::RedemptionPolicy& policy);

// What points are worth by a redemption contract.
struct Worth {
  MinorUnits amount;
  Currency currency{};
};

// The longest life of a hold; of the holds for one order together.
inline constexpr int kLongestTimeToLiveSeconds = 86'400;

// What the till showed of the member's PIN or code.
enum class Proof { kNone, kRight, kWrong };

// Why a redemption is looked at before it is captured. The names stand in redemption.reviews.
enum class ReviewReason { kCount, kNewDevice };
std::string_view ReviewReasonName(ReviewReason reason);

// The last redemption for the same order.
struct EarlierRedemption {
  RecordNumber number;
  // As of when it was read; the account knows better of those that are open.
  ledger::HoldState state{};
  // When points were held for the order the first time.
  Timestamp first_held;
};

// What an authorization is decided over besides its account.
struct SpendingFacts {
  std::optional<EarlierRedemption> earlier;
  bool locked = false;
  int failed_attempts = 0;
  Proof proof = Proof::kNone;
  // Redemptions of the member in the policy's period.
  int recent_redemptions = 0;
  bool device_known = false;
  // What expired by time since a late payment occurred, of lots that lived then. And whether the
  // payment comes in time for them.
  std::map<LotId, Points> lapsed{};
  bool honours_late = false;
};

struct Authorized {
  Worth value;
  Timestamp expires_at;
  // kOpen, kCaptured or kInReview.
  ledger::HoldState state{};
  std::optional<ReviewReason> review;
};

// Holds the points under the redemption contract in force now, which prices all that follows, and
// takes them where that is asked. What the policy wants to be reviewed is held, and not taken. For
// a late payment the expiry of what it needs is undone.
//
// Refuses, first match wins: kNotYours, kStoreNotFound, kCardNotFound, kPartnerNotActive,
// kNoContract, kCardBlocked, kCurrencyNotSupported, kOrderHasRedemption, kRedemptionNotPayable,
// kSpendingLocked, kPinRequired, kPinWrong, and what ledger::DecideHold refuses.
absl::StatusOr<Authorized> Decide(const Authorization& authorization, PartnerId partner,
                                  const SpendingFacts& facts,
                                  const ledger::DecisionContext& context, ledger::Posting& posting);

// Releases a redemption from its review, and takes its points where that was asked; or gives the
// points back. Gives what was captured or released.
//
// Refuses: kRedemptionNotFound, kRedemptionClosed.
absl::StatusOr<Points> Decide(const ReviewDecision& decision, PartnerId partner,
                              ledger::Posting& posting);

// How much of a basket a member may pay at a partner now.
struct Quoted {
  Points payable;
  Worth value;
  MinorUnits rest;   // of the basket, to be paid with money
  Points available;  // what the member can spend there
  Points owed;
  MinorUnits payable_value;
  ledger::RedemptionTerms terms;
};

// Changes nothing.
//
// Refuses, first match wins: kStoreNotFound, kPartnerNotActive, kNoContract, kCardBlocked,
// kCurrencyNotSupported, kAccountClosed.
absl::StatusOr<Quoted> Quote(const Authorization& asked, PartnerId partner,
                             const ledger::DecisionContext& context,
                             const ledger::Posting& posting);

struct Captured {
  Points points;
  Worth value;
  Points still_held;
};

// Refuses as ledger::DecideCapture does.
absl::StatusOr<Captured> Decide(const Capture& capture, PartnerId partner,
                                const ledger::DecisionContext& context, ledger::Posting& posting);

// The price of points under a partner's redemption contract; none under one that it does not have.
Worth PriceUnder(const ledger::Configuration& configuration, PartnerId partner, ContractId contract,
                 Points points);

}  // namespace guilder::redemption
