#include "tests/model/reference_model.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"

namespace guilder::model {
namespace {

using ledger::Bucket;
using ledger::Movement;

constexpr Points kNothing;

Place Pending(RecordNumber lot) {
  return {Bucket::kPending, lot, {}};
}
Place Available(RecordNumber lot) {
  return {Bucket::kAvailable, lot, {}};
}
Place Held(RecordNumber lot) {
  return {Bucket::kHeld, lot, {}};
}
Place Debt(RecordNumber lot) {
  return {Bucket::kDebt, lot, {}};
}
Place IssuedBy(PartnerId partner) {
  return {Bucket::kIssued, {}, partner};
}
Place RedeemedAt(PartnerId partner) {
  return {Bucket::kRedeemed, {}, partner};
}
Place Expired() {
  return {Bucket::kExpired, {}, {}};
}

Timestamp After(Timestamp now, Timestamp delay) {
  return delay == kNever ? kNever : now + delay;
}

std::string Text(const char* what, Points points) {
  return absl::StrCat(what, " ", points.value());
}

absl::Status CheckPoints(Points points) {
  if (points > kNothing && points <= kMaxPointsPerCommand) return absl::OkStatus();
  return Refuse(Reason::kAmountOutOfRange, {}, {{"points", absl::StrCat(points.value())}});
}

}  // namespace

Points Hold::held() const {
  Points sum;
  for (const HoldPart& part : parts) sum += part.held;
  return sum;
}

Points Hold::captured() const {
  Points sum;
  for (const HoldPart& part : parts) sum += part.captured;
  return sum;
}

Points Hold::refunded() const {
  Points sum;
  for (const HoldPart& part : parts) sum += part.refunded;
  return sum;
}

namespace {

// Whether it holds something, released from its review or not.
bool IsOpen(const Hold& hold) {
  return hold.end == HoldEnd::kOpen || hold.end == HoldEnd::kInReview;
}

}  // namespace

absl::StatusOr<std::string> Account::Apply(const Request& request, RecordNumber number,
                                           Timestamp now) {
  moves_.clear();
  LiveUntil(now);
  absl::StatusOr<std::string> response;
  switch (request.verb) {
    case Verb::kOpen:
      card_ = request.card;
      return absl::StrCat("opened ", id_.value());
    case Verb::kEarn:
      response = Earn(request, number, now);
      break;
    case Verb::kConfirm:
      response = Confirm(request);
      break;
    case Verb::kCancel:
      response = Cancel(request);
      break;
    case Verb::kReverse:
      response = Reverse(request);
      break;
    case Verb::kHold:
      response = MakeHold(request, number, now);
      break;
    case Verb::kCapture:
      response = Capture(request);
      break;
    case Verb::kRelease:
      response = Release(request);
      break;
    case Verb::kRefund:
      response = Refund(request, now);
      break;
    case Verb::kPay:
      response = Pay(request, number, now);
      break;
    case Verb::kReleaseReview:
      response = ReleaseReview(request);
      break;
    case Verb::kUse:
      response = Use(request);
      break;
    case Verb::kUnuse:
      response = Unuse(request, now);
      break;
  }
  if (response.ok()) LiveUntil(now);
  return response;
}

// ---- What happens by time alone.

Timestamp Account::NextDue() const {
  Timestamp next = kNever;
  for (const auto& [number, lot] : lots_) {
    if (lot.waiting > kNothing) next = std::min(next, lot.activates_at);
    if (lot.waiting + lot.free > kNothing) next = std::min(next, lot.end());
  }
  for (const auto& [number, hold] : holds_) {
    if (IsOpen(hold)) next = std::min(next, hold.expires_at);
  }
  return next;
}

// One instant after the other. Debts are repaid with what an instant has made available and left.
void Account::LiveUntil(Timestamp now) {
  Timestamp at;
  while (NextDue() <= now) {
    // Points that come back after their date expire at once.
    at = std::max(at, NextDue());
    ActivateDue(at);
    ReleaseDue(at);
    ExpireDue(at);
    RepayDebts();
  }
  RepayDebts();
}

void Account::ActivateDue(Timestamp at) {
  for (LotEntry& lot : lots_) {
    if (lot.second.waiting == kNothing || lot.second.activates_at > at) continue;
    if (lot.second.cancel_on_due) {
      CancelWaiting(lot, lot.second.waiting);
    } else {
      Activate(lot);
    }
  }
}

void Account::ReleaseDue(Timestamp at) {
  for (auto& [number, hold] : holds_) {
    if (IsOpen(hold) && hold.expires_at <= at) GiveBack(hold, HoldEnd::kExpired);
  }
}

void Account::ExpireDue(Timestamp at) {
  for (auto& [number, lot] : lots_) {
    if (lot.end() > at) continue;
    // Its own debt first, which would stay for ever.
    const Points paid = std::min(lot.owed, lot.free);
    lot.owed -= paid;
    lot.free -= paid;
    Note(Available(number), Debt(number), paid, {});
    Note(Pending(number), Expired(), lot.waiting, lot.contract, Movement::kExpiredPending);
    Note(Available(number), Expired(), lot.free, lot.contract, Movement::kExpired);
    lot.expired += lot.waiting + lot.free;
    lot.waiting = lot.free = kNothing;
  }
}

// The oldest debt first. A lot repays its own debt by what it has left. Another lot repays it by
// taking over what the debtor lot had paid for.
void Account::RepayDebts() {
  for (auto& [debtor_number, debtor] : lots_) {
    if (debtor.owed == kNothing) continue;
    for (LotEntry* entry : InOrderOfConsumption()) {
      auto& [payer_number, payer] = *entry;
      Points paid = std::min(debtor.owed, payer.free);
      if (&payer != &debtor) {
        // What may only be spent somewhere takes over nothing.
        if (payer.restricted_to) continue;
        paid = std::min(paid, debtor.redeemed);
        debtor.redeemed -= paid;
        payer.redeemed += paid;
      }
      debtor.owed -= paid;
      payer.free -= paid;
      Note(Available(payer_number), Debt(debtor_number), paid, {});
    }
  }
}

// ---- What is asked.

absl::StatusOr<std::string> Account::Earn(const Request& request, RecordNumber number,
                                          Timestamp now) {
  if (request.card) {
    const bool blocked = request.card == BlockedCard(card_);
    if (!blocked && request.card != card_) return Refuse(Reason::kCardNotFound);
    if (blocked) return Refuse(Reason::kCardBlocked);
  }
  if (request.points != kNothing) {
    if (const absl::Status status = CheckPoints(request.points); !status.ok()) return status;
    Lot& lot = lots_[number];
    lot.issuer = request.partner;
    lot.contract = request.contract;
    lot.issued = lot.waiting = request.points;
    lot.activates_at = After(now, request.activates_after);
    lot.expires_at = After(now, request.expires_after);
    lot.cancel_on_due = request.cancel_on_due;
    lot.restricted_to = request.restricted_to;
    Note(IssuedBy(lot.issuer), Pending(number), lot.issued, lot.contract, Movement::kIssued);
  }
  return Text("earned", request.points);
}

absl::StatusOr<std::string> Account::Confirm(const Request& request) {
  const auto lot = lots_.find(request.target);
  if (lot == lots_.end() || lot->second.waiting == kNothing) {
    return Refuse(Reason::kAlreadyConfirmed);
  }
  const Points points = lot->second.waiting;
  Activate(*lot);
  return Text("confirmed", points);
}

absl::StatusOr<std::string> Account::Cancel(const Request& request) {
  const auto lot = lots_.find(request.target);
  if (lot == lots_.end() || lot->second.waiting == kNothing) {
    return Refuse(Reason::kAlreadyConfirmed);
  }
  const Points points = lot->second.waiting;
  CancelWaiting(*lot, points);
  return Text("cancelled", points);
}

// Takes points from where they hurt least: what waits, what is free, what expired; the member owes
// the rest.
absl::StatusOr<std::string> Account::Reverse(const Request& request) {
  if (request.points == kNothing) return Text("owes", kNothing);
  const auto found = lots_.find(request.target);
  if (found == lots_.end()) return Refuse(Reason::kReturnExceedsSale);
  auto& [number, lot] = *found;
  if (request.points < kNothing || request.points > lot.issued - lot.reversed) {
    return Refuse(Reason::kReturnExceedsSale);
  }
  const Points owed_before = owed();
  Points left = request.points;

  const Points from_waiting = std::min(left, lot.waiting);
  CancelWaiting(*found, from_waiting);
  left -= from_waiting;

  const Points from_free = std::min(left, lot.free);
  lot.free -= from_free;
  Note(Available(number), IssuedBy(lot.issuer), from_free, lot.contract, Movement::kReversed);
  left -= from_free;

  const Points from_expired = std::min(left, lot.expired);
  lot.expired -= from_expired;
  Note(Expired(), IssuedBy(lot.issuer), from_expired, lot.contract, Movement::kReversed);
  left -= from_expired;

  lot.owed += left;
  Note(Debt(number), IssuedBy(lot.issuer), left, lot.contract, Movement::kReversed);
  lot.reversed += from_free + from_expired + left;
  RepayDebts();
  return Text("owes", owed() - owed_before);
}

absl::StatusOr<std::string> Account::MakeHold(const Request& request, RecordNumber number,
                                              Timestamp now) {
  if (const absl::Status status = CheckPoints(request.points); !status.ok()) return status;
  if (owed() > kNothing) {
    return Refuse(Reason::kAccountInDebt, {}, {{"debt_points", absl::StrCat(owed().value())}});
  }
  Points spendable;
  for (const LotEntry* lot : PayersOf(request)) spendable += lot->second.free;
  if (spendable < request.points) {
    return Refuse(Reason::kInsufficientPoints, {},
                  {{"available_points", absl::StrCat(spendable.value())}});
  }
  Hold& hold = holds_[number];
  hold.partner = request.partner;
  hold.contract = request.contract;
  hold.authorized = request.points;
  hold.expires_at = After(now, request.expires_after);
  Points left = request.points;
  for (LotEntry* lot : PayersOf(request)) {
    const Points taken = std::min(left, lot->second.free);
    if (taken == kNothing) break;
    lot->second.free -= taken;
    lot->second.held += taken;
    left -= taken;
    hold.parts.push_back({lot->first, taken, kNothing, kNothing});
    Note(Available(lot->first), Held(lot->first), taken, {});
  }
  hold.reviewed = request.reviewed;
  if (request.reviewed) hold.end = HoldEnd::kInReview;
  if (!request.at_once) return Text("held", request.points);
  Request all = request;
  all.target = number;
  all.points = kNothing;
  all.final = true;
  return Capture(all);
}

absl::StatusOr<std::string> Account::ReleaseReview(const Request& request) {
  Hold* hold = FindHold(request);
  if (hold == nullptr) return Refuse(Reason::kRedemptionNotFound);
  if (hold->end != HoldEnd::kInReview) return Refuse(Reason::kRedemptionClosed);
  hold->end = HoldEnd::kOpen;
  return std::string("released from review");
}

absl::StatusOr<std::string> Account::Capture(const Request& request) {
  Hold* hold = FindHold(request);
  if (hold == nullptr) return Refuse(Reason::kRedemptionNotFound);
  if (hold->end == HoldEnd::kInReview) return Refuse(Reason::kRedemptionInReview);
  if (!IsOpen(*hold)) return Refuse(Reason::kRedemptionClosed);
  const Points held = hold->held();
  if (request.points < kNothing || request.points > held) {
    return Refuse(Reason::kCaptureExceedsHold, {}, {{"held_points", absl::StrCat(held.value())}});
  }
  const Points taken = request.points == kNothing ? held : request.points;
  Take(*hold, taken, hold->partner, hold->contract);
  if (taken == held || request.final) GiveBack(*hold, HoldEnd::kCaptured);
  return Text("took", taken);
}

// Whoever asks takes it under its own contract, and the rest stays held.
absl::StatusOr<std::string> Account::Use(const Request& request) {
  const auto found = holds_.find(request.target);
  if (found == holds_.end()) return Refuse(Reason::kRedemptionNotFound);
  Hold& hold = found->second;
  if (hold.end != HoldEnd::kOpen) return Refuse(Reason::kRedemptionClosed);
  const Points held = hold.held();
  if (request.points < kNothing || request.points > held) {
    return Refuse(Reason::kCaptureExceedsHold, {}, {{"held_points", absl::StrCat(held.value())}});
  }
  Take(hold, request.points, request.partner, request.contract);
  if (request.points == held) GiveBack(hold, HoldEnd::kCaptured);
  return Text("used", request.points);
}

absl::StatusOr<std::string> Account::Unuse(const Request& request, Timestamp now) {
  const auto found = holds_.find(request.target);
  if (found == holds_.end()) return Refuse(Reason::kRedemptionNotFound);
  return GiveBackTo(found->second, request, request.partner, request.contract, now);
}

void Account::Take(Hold& hold, Points points, PartnerId partner, ContractId contract) {
  Points left = points;
  for (HoldPart& part : hold.parts) {
    const Points taken = std::min(left, part.held);
    Lot& lot = lots_.at(part.lot);
    part.held -= taken;
    part.captured += taken;
    lot.held -= taken;
    lot.redeemed += taken;
    left -= taken;
    Note(Held(part.lot), RedeemedAt(partner), taken, contract, Movement::kRedeemed);
  }
}

absl::StatusOr<std::string> Account::Release(const Request& request) {
  Hold* hold = FindHold(request);
  if (hold == nullptr) return Refuse(Reason::kRedemptionNotFound);
  if (!IsOpen(*hold)) return Refuse(Reason::kRedemptionClosed);
  const Points held = hold->held();
  GiveBack(*hold, HoldEnd::kVoided);
  return Text("released", held);
}

// Gives back to the lots that paid, the last first. A lot whose redemption was taken over by others
// gets no more than it still has redeemed; the rest goes to the youngest lots that have redeemed.
absl::StatusOr<std::string> Account::Refund(const Request& request, Timestamp now) {
  Hold* hold = FindHold(request);
  if (hold == nullptr) return Refuse(Reason::kRedemptionNotFound);
  return GiveBackTo(*hold, request, hold->partner, hold->contract, now);
}

absl::StatusOr<std::string> Account::GiveBackTo(Hold& hold, const Request& request,
                                                PartnerId partner, ContractId contract,
                                                Timestamp now) {
  const Points refundable = hold.captured() - hold.refunded();
  if (request.points <= kNothing || request.points > refundable) {
    return Refuse(Reason::kRefundExceedsCapture, {},
                  {{"refundable_points", absl::StrCat(refundable.value())}});
  }
  const auto give = [&](RecordNumber number, Lot& lot, Points most) {
    const Points given = std::min(most, lot.redeemed);
    const bool over = given > kNothing && lot.end() <= now;
    if (over && request.grace > Timestamp()) lot.restored_until = now + request.grace;
    lot.redeemed -= given;
    lot.free += given;
    Note(RedeemedAt(partner), Available(number), given, contract, Movement::kRefunded);
    return given;
  };
  Points left = request.points;
  Points for_others;
  for (auto part = hold.parts.rbegin(); part != hold.parts.rend(); ++part) {
    const Points back = std::min(left, part->captured - part->refunded);
    part->refunded += back;
    left -= back;
    for_others += back - give(part->lot, lots_.at(part->lot), back);
  }
  for (auto lot = lots_.rbegin(); lot != lots_.rend(); ++lot) {
    for_others -= give(lot->first, lot->second, for_others);
  }
  return Text("refunded", request.points);
}

absl::StatusOr<std::string> Account::Pay(const Request& request, RecordNumber number,
                                         Timestamp now) {
  Request all = request;
  all.points = kNothing;
  all.final = true;
  const absl::StatusOr<std::string> captured = Capture(all);
  if (!captured.ok()) return captured;
  LiveUntil(now);
  const absl::StatusOr<std::string> earned = Earn(request, number, now);
  if (!earned.ok()) return earned;
  return absl::StrCat(*captured, ", ", *earned);
}

// ---- Parts of the above.

void Account::Activate(LotEntry& entry) {
  auto& [number, lot] = entry;
  Note(Pending(number), Available(number), lot.waiting, lot.contract, Movement::kActivated);
  lot.free += lot.waiting;
  lot.waiting = kNothing;
  lot.active = true;
}

void Account::CancelWaiting(LotEntry& entry, Points points) {
  auto& [number, lot] = entry;
  lot.waiting -= points;
  lot.reversed += points;
  Note(Pending(number), IssuedBy(lot.issuer), points, lot.contract, Movement::kReversedPending);
}

// A hold of which something was captured counts as captured, however it ended.
void Account::GiveBack(Hold& hold, HoldEnd end) {
  for (HoldPart& part : hold.parts) {
    Lot& lot = lots_.at(part.lot);
    lot.held -= part.held;
    lot.free += part.held;
    Note(Held(part.lot), Available(part.lot), part.held, {});
    part.held = kNothing;
  }
  hold.end = hold.captured() > kNothing ? HoldEnd::kCaptured : end;
}

// What expires first, then what was earned first.
std::vector<Account::LotEntry*> Account::InOrderOfConsumption() {
  std::vector<LotEntry*> order;
  for (LotEntry& lot : lots_) {
    if (lot.second.free > kNothing) order.push_back(&lot);
  }
  std::stable_sort(order.begin(), order.end(), [](const LotEntry* a, const LotEntry* b) {
    return a->second.end() < b->second.end();
  });
  return order;
}

std::vector<Account::LotEntry*> Account::PayersOf(const Request& request) {
  std::vector<LotEntry*> payers;
  for (LotEntry& entry : lots_) {
    const PartnerId where = entry.second.restricted_to;
    const bool may = !where || (request.gift && where == PartnerId(-1)) || where == request.partner;
    if (entry.second.free > kNothing && may) payers.push_back(&entry);
  }
  if (!request.first_in) {
    std::stable_sort(payers.begin(), payers.end(), [](const LotEntry* a, const LotEntry* b) {
      return a->second.end() < b->second.end();
    });
  }
  std::stable_partition(payers.begin(), payers.end(), [](const LotEntry* entry) {
    return static_cast<bool>(entry->second.restricted_to);
  });
  return payers;
}

Hold* Account::FindHold(const Request& request) {
  const auto hold = holds_.find(request.target);
  if (hold == holds_.end() || hold->second.partner != request.partner) return nullptr;
  return &hold->second;
}

void Account::Note(Place from, Place to, Points points, ContractId contract, Movement movement) {
  if (points != kNothing) moves_.push_back({from, to, points, contract, movement});
}

Points Account::Sum(Points Lot::*part) const {
  Points sum;
  for (const auto& [number, lot] : lots_) sum += lot.*part;
  return sum;
}

}  // namespace guilder::model
