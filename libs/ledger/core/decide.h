// The deciders: whether a command may change an account, and how. Pure: no clock, I/O, proto or
// SQL.
//
// Each takes a posting that has been brought up to its time, and either refuses, leaving the
// posting to be thrown away, or changes it. Refusals are listed in order of precedence.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/ledger/core/posting.h"

namespace guilder::ledger {

// What an account may hold in all. Far above what anybody has, and so far from the end of int64
// that no sum over a book overflows.
inline constexpr Points kMaxPointsPerAccount{1'000 * kMaxPointsPerCommand.value()};

struct EarnTerms {
  PartnerId issuer;
  ContractId contract;
  Points points;
  Timestamp activates_at;
  Timestamp expires_at = kNever;
  OnDue on_due = OnDue::kActivate;
  Restriction restricted_to{};
  // As Lot::lives_by_activity.
  bool lives_by_activity = false;
};

// Gives points as one new lot, or none when there are no points. What is due at once is activated
// at once, and repays debts.
//
// Refuses: kAccountClosed; kAmountOutOfRange, also where the account would hold too many.
absl::Status DecideEarn(Posting& posting, const EarnTerms& terms);

// Makes the pending lot of a purchase available. Gives the points.
//
// Refuses: kAlreadyConfirmed, it is not pending any more.
absl::StatusOr<Points> DecideConfirm(Posting& posting, LotId lot);

// Cancels the pending lot of a purchase. Gives the points.
//
// Refuses: kAlreadyConfirmed, it is not pending any more.
absl::StatusOr<Points> DecideCancel(Posting& posting, LotId lot);

// Takes back points that a lot had given. Gives how many of them the member owes from now on.
//
// Refuses: kReturnExceedsSale, more than the lot gave and still has not lost.
absl::StatusOr<Points> DecideReverse(Posting& posting, LotId lot, Points points);

struct HoldTerms {
  PartnerId partner;
  StoreId store;
  ContractId contract;
  Points points;
  Timestamp expires_at;
  // Whether it pays for a gift rather than at the partner's till.
  bool gift = false;
  ConsumptionOrder order = ConsumptionOrder::kFirstExpiring;
  // Whether it may not be captured before somebody releases it.
  bool reviewed = false;
};

// Sets available points aside, of those lots that may pay for it.
//
// Refuses: kAccountClosed, kAmountOutOfRange, kAccountInDebt, kInsufficientPoints.
absl::Status DecideHold(Posting& posting, const HoldTerms& terms);

// Takes `points` of what a hold holds, all of it when zero; when `final`, releases the rest. Gives
// the points taken.
//
// Refuses: kRedemptionNotFound, also for another partner's; kRedemptionInReview;
// kRedemptionClosed; kCaptureExceedsHold.
absl::StatusOr<Points> DecideCapture(Posting& posting, PartnerId partner, RecordNumber hold,
                                     Points points, bool final);

// Takes some of what a hold holds for another partner than the hold's, under a contract of that
// one: the hold is of something that several partners take, as a voucher. No points change nothing.
//
// Refuses: kRedemptionNotFound, kRedemptionClosed, kCaptureExceedsHold.
absl::Status DecideCaptureFor(Posting& posting, RecordNumber hold, Points points, PartnerId partner,
                              ContractId contract);

// The inverse; `grace_until` as for DecideRefund.
//
// Refuses: kRedemptionNotFound, kRefundExceedsCapture.
absl::Status DecideRefundFrom(Posting& posting, RecordNumber hold, Points points, PartnerId partner,
                              ContractId contract, Timestamp grace_until = Timestamp());

// Gives back what a hold holds. Gives the points.
//
// Refuses: kRedemptionNotFound, kRedemptionClosed.
absl::StatusOr<Points> DecideRelease(Posting& posting, PartnerId partner, RecordNumber hold);

// Closes an account: what it has expires, what it owes stays. Gives the points that expired.
//
// Refuses: kAccountClosed; kWrongState, a hold is open.
absl::StatusOr<Points> DecideClose(Posting& posting);

// Lets a hold that is in review be captured.
//
// Refuses: kRedemptionNotFound; kRedemptionClosed, it is not in review any more.
absl::Status DecideReviewRelease(Posting& posting, PartnerId partner, RecordNumber hold);

// Gives captured points back to the lots that paid, each with its own life. Where a lot has expired
// meanwhile, they live until `grace_until`, or expire at once if that is not ahead. Nothing is
// issued anew.
//
// Refuses: kRedemptionNotFound, kRefundExceedsCapture.
absl::Status DecideRefund(Posting& posting, PartnerId partner, RecordNumber hold, Points points,
                          Timestamp grace_until = Timestamp());

}  // namespace guilder::ledger
