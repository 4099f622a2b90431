#include "libs/ledger/core/decide.h"

#include "libs/base/reason.h"

namespace guilder::ledger {
namespace {

absl::Status CheckPoints(Points points) {
  if (points > Points(0) && points <= kMaxPointsPerCommand) return absl::OkStatus();
  return Refuse(Reason::kAmountOutOfRange, "points", {{"points", std::to_string(points.value())}});
}

absl::Status CheckOpen(const AccountState& account) {
  if (account.status == AccountStatus::kOpen) return absl::OkStatus();
  return Refuse(Reason::kAccountClosed);
}

const Hold* FindHold(const Posting& posting, RecordNumber number) {
  for (const Hold& hold : posting.account().holds) {
    if (hold.number == number) return &hold;
  }
  return nullptr;
}

// The hold of that number when the partner may touch it.
const Hold* FindHold(const Posting& posting, PartnerId partner, RecordNumber number) {
  const Hold* const hold = FindHold(posting, number);
  return hold != nullptr && hold->partner == partner ? hold : nullptr;
}

absl::Status CheckRefundable(const Hold& hold, Points points) {
  const Points refundable = hold.captured() - hold.refunded();
  if (points > Points(0) && points <= refundable) return absl::OkStatus();
  return Refuse(Reason::kRefundExceedsCapture, {},
                {{"refundable_points", std::to_string(refundable.value())}});
}

const Lot* FindPendingLot(const Posting& posting, LotId id) {
  for (const Lot& lot : posting.account().lots) {
    if (lot.id == id && lot.state == LotState::kPending && lot.remaining > Points(0)) return &lot;
  }
  return nullptr;
}

}  // namespace

absl::Status DecideEarn(Posting& posting, const EarnTerms& terms) {
  if (absl::Status open = CheckOpen(posting.account()); !open.ok()) return open;
  if (terms.points == Points(0)) return absl::OkStatus();
  if (absl::Status points = CheckPoints(terms.points); !points.ok()) return points;
  const AccountState& account = posting.account();
  if (account.pending + account.available + account.held > kMaxPointsPerAccount - terms.points) {
    return Refuse(Reason::kAmountOutOfRange, "the account's points");
  }
  Lot lot;
  lot.issuer = terms.issuer;
  lot.contract = terms.contract;
  lot.issued = terms.points;
  lot.activates_at = terms.activates_at;
  lot.expires_at = terms.expires_at;
  lot.on_due = terms.on_due;
  lot.restricted_to = terms.restricted_to;
  lot.lives_by_activity = terms.lives_by_activity;
  posting.Issue(lot);
  posting.BringUpToNow();
  return absl::OkStatus();
}

absl::StatusOr<Points> DecideConfirm(Posting& posting, LotId id) {
  const Lot* lot = FindPendingLot(posting, id);
  if (lot == nullptr) return Refuse(Reason::kAlreadyConfirmed);
  const Points points = lot->remaining;
  posting.Activate(id);
  posting.BringUpToNow();
  return points;
}

absl::StatusOr<Points> DecideCancel(Posting& posting, LotId id) {
  const Lot* lot = FindPendingLot(posting, id);
  if (lot == nullptr) return Refuse(Reason::kAlreadyConfirmed);
  const Points points = lot->remaining;
  posting.Reverse(id, points);
  return points;
}

absl::StatusOr<Points> DecideReverse(Posting& posting, LotId id, Points points) {
  if (points == Points(0)) return Points(0);
  for (const Lot& lot : posting.account().lots) {
    if (lot.id != id) continue;
    if (points < Points(0) || points > lot.issued - lot.reversed) break;
    const Points debt_before = posting.account().debt;
    posting.Reverse(id, points);
    return posting.account().debt - debt_before;
  }
  return Refuse(Reason::kReturnExceedsSale);
}

absl::Status DecideHold(Posting& posting, const HoldTerms& terms) {
  const AccountState& account = posting.account();
  if (absl::Status open = CheckOpen(account); !open.ok()) return open;
  if (absl::Status points = CheckPoints(terms.points); !points.ok()) return points;
  if (account.debt > Points(0)) {
    return Refuse(Reason::kAccountInDebt, {},
                  {{"debt_points", std::to_string(account.debt.value())}});
  }
  const Spending spending{terms.partner, terms.gift};
  const Points spendable = posting.SpendableOn(spending);
  if (spendable < terms.points) {
    return Refuse(Reason::kInsufficientPoints, {},
                  {{"available_points", std::to_string(spendable.value())}});
  }
  Hold hold;
  hold.partner = terms.partner;
  hold.store = terms.store;
  hold.contract = terms.contract;
  hold.authorized = terms.points;
  hold.expires_at = terms.expires_at;
  hold.reviewed = terms.reviewed;
  posting.OpenHold(std::move(hold), spending, terms.order);
  return absl::OkStatus();
}

absl::StatusOr<Points> DecideCapture(Posting& posting, PartnerId partner, RecordNumber number,
                                     Points points, bool final) {
  const Hold* hold = FindHold(posting, partner, number);
  if (hold == nullptr) return Refuse(Reason::kRedemptionNotFound);
  if (hold->state == HoldState::kInReview) return Refuse(Reason::kRedemptionInReview);
  if (!hold->open()) return Refuse(Reason::kRedemptionClosed);
  const Points held = hold->held();
  if (points < Points(0) || points > held) {
    return Refuse(Reason::kCaptureExceedsHold, {}, {{"held_points", std::to_string(held.value())}});
  }
  const Points taken = points == Points(0) ? held : points;
  posting.Capture(number, taken);
  if (final && taken < held) posting.Release(number, HoldState::kCaptured);
  posting.BringUpToNow();
  return taken;
}

absl::Status DecideCaptureFor(Posting& posting, RecordNumber number, Points points,
                              PartnerId partner, ContractId contract) {
  const Hold* hold = FindHold(posting, number);
  if (hold == nullptr) return Refuse(Reason::kRedemptionNotFound);
  if (hold->state != HoldState::kOpen) return Refuse(Reason::kRedemptionClosed);
  const Points held = hold->held();
  if (points < Points(0) || points > held) {
    return Refuse(Reason::kCaptureExceedsHold, {}, {{"held_points", std::to_string(held.value())}});
  }
  posting.CaptureFor(number, points, partner, contract);
  posting.BringUpToNow();
  return absl::OkStatus();
}

absl::Status DecideRefundFrom(Posting& posting, RecordNumber number, Points points,
                              PartnerId partner, ContractId contract, Timestamp grace_until) {
  const Hold* hold = FindHold(posting, number);
  if (hold == nullptr) return Refuse(Reason::kRedemptionNotFound);
  if (absl::Status fits = CheckRefundable(*hold, points); !fits.ok()) return fits;
  posting.RefundFrom(number, points, partner, contract, grace_until);
  posting.BringUpToNow();
  return absl::OkStatus();
}

absl::StatusOr<Points> DecideRelease(Posting& posting, PartnerId partner, RecordNumber number) {
  const Hold* hold = FindHold(posting, partner, number);
  if (hold == nullptr) return Refuse(Reason::kRedemptionNotFound);
  if (!hold->open()) return Refuse(Reason::kRedemptionClosed);
  const Points held = hold->held();
  posting.Release(number, HoldState::kVoided);
  posting.BringUpToNow();
  return held;
}

absl::StatusOr<Points> DecideClose(Posting& posting) {
  const AccountState& account = posting.account();
  if (account.status != AccountStatus::kOpen) return Refuse(Reason::kAccountClosed);
  if (account.held > Points(0)) return Refuse(Reason::kWrongState, "a payment holds points");
  const Points had = account.pending + account.available;
  posting.Close();
  return had - posting.account().pending - posting.account().available;
}

absl::Status DecideReviewRelease(Posting& posting, PartnerId partner, RecordNumber number) {
  const Hold* hold = FindHold(posting, partner, number);
  if (hold == nullptr) return Refuse(Reason::kRedemptionNotFound);
  if (hold->state != HoldState::kInReview) return Refuse(Reason::kRedemptionClosed);
  posting.ReleaseFromReview(number);
  return absl::OkStatus();
}

absl::Status DecideRefund(Posting& posting, PartnerId partner, RecordNumber number, Points points,
                          Timestamp grace_until) {
  const Hold* hold = FindHold(posting, partner, number);
  if (hold == nullptr) return Refuse(Reason::kRedemptionNotFound);
  if (absl::Status fits = CheckRefundable(*hold, points); !fits.ok()) return fits;
  posting.Refund(number, points, grace_until);
  posting.BringUpToNow();
  return absl::OkStatus();
}

}  // namespace guilder::ledger
