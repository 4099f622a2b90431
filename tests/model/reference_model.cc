// What an account earns and loses, and what time alone does to it.
#include "tests/model/reference_model.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/ledger/core/account.h"

namespace guilder::model {

using ledger::Bucket;
using ledger::Movement;

Place Pending(LotId lot) {
  return {Bucket::kPending, lot, {}};
}
Place Available(LotId lot) {
  return {Bucket::kAvailable, lot, {}};
}
Place Held(LotId lot) {
  return {Bucket::kHeld, lot, {}};
}
Place Debt(LotId lot) {
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
Place InTransit() {
  return {Bucket::kInTransit, {}, {}};
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

void Account::Begin(RecordNumber number, Timestamp now) {
  moves_.clear();
  number_ = number;
  now_ = now;
  lots_made_ = 0;
}

absl::StatusOr<std::string> Account::Decide(const Request& request) {
  switch (request.verb) {
    case Verb::kOpen:
      cards_ = {{request.card, false}, {BlockedCard(request.card), true}};
      return absl::StrCat("opened ", id_.value());
    case Verb::kEarn:
      return Earn(request);
    case Verb::kConfirm:
      return Confirm(request);
    case Verb::kCancel:
      return Cancel(request);
    case Verb::kReverse:
      return Reverse(request);
    case Verb::kHold:
      return MakeHold(request);
    case Verb::kCapture:
      return Capture(request);
    case Verb::kRelease:
      return Release(request);
    case Verb::kRefund:
      return Refund(request);
    case Verb::kPay:
      return Pay(request);
    case Verb::kReleaseReview:
      return ReleaseReview(request);
    case Verb::kUse:
      return Use(request);
    case Verb::kUnuse:
      return Unuse(request);
    case Verb::kTransfer:
    case Verb::kReverseTransfer:
    case Verb::kMerge:
      break;
  }
  return absl::InternalError("it is not about one account");
}

// ---- What happens by time alone.

Timestamp Account::NextDue() const {
  Timestamp next = kNever;
  for (const auto& [id, lot] : lots_) {
    if (lot.waiting > kNothing) next = std::min(next, lot.activates_at);
    if (lot.waiting + lot.free > kNothing) next = std::min(next, lot.end());
  }
  for (const auto& [number, hold] : holds_) {
    if (IsOpen(hold)) next = std::min(next, hold.expires_at);
  }
  return next;
}

// One instant after the other. Debts are repaid with what an instant has made available and left.
void Account::LiveUntilNow() {
  Timestamp at;
  while (NextDue() <= now_) {
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
  for (auto& [id, lot] : lots_) {
    if (lot.end() > at) continue;
    // Its own debt first, which would stay for ever.
    const Points paid = std::min(lot.owed, lot.free);
    lot.owed -= paid;
    lot.free -= paid;
    Note(Available(id), Debt(id), paid, {});
    Note(Pending(id), Expired(), lot.waiting, lot.contract, Movement::kExpiredPending);
    Note(Available(id), Expired(), lot.free, lot.contract, Movement::kExpired);
    lot.expired += lot.waiting + lot.free;
    lot.waiting = lot.free = kNothing;
  }
}

// The oldest debt first. A lot repays its own debt by what it has left. Another lot repays it by
// taking over what the debtor lot had paid for, or what it had sent away.
void Account::RepayDebts() {
  for (auto& [debtor_id, debtor] : lots_) {
    if (debtor.owed == kNothing) continue;
    for (LotEntry* entry : InOrderOfConsumption()) {
      auto& [payer_id, payer] = *entry;
      if (&payer == &debtor) {
        const Points paid = std::min(debtor.owed, payer.free);
        debtor.owed -= paid;
        payer.free -= paid;
        Note(Available(payer_id), Debt(debtor_id), paid, {});
        continue;
      }
      // What may only be spent somewhere takes over only what was spent there.
      if (payer.restricted_to && payer.restricted_to != debtor.restricted_to) continue;
      const auto take_over = [&](Points Lot::*what, ContractId contract) {
        const Points most = std::max(debtor.*what, kNothing);
        const Points paid = std::min({debtor.owed, most, payer.free});
        debtor.*what -= paid;
        payer.*what += paid;
        debtor.owed -= paid;
        payer.free -= paid;
        Note(Available(payer_id), Debt(debtor_id), paid, contract);
      };
      take_over(&Lot::redeemed, {});
      take_over(&Lot::moved, debtor.contract);
    }
  }
}

// ---- What is asked.

absl::StatusOr<std::string> Account::Earn(const Request& request) {
  if (request.card) {
    const auto card = cards_.find(request.card);
    if (card == cards_.end()) return Refuse(Reason::kCardNotFound);
    if (card->second) return Refuse(Reason::kCardBlocked);
  }
  if (merged_into_) return Refuse(Reason::kAccountClosed);
  if (request.points != kNothing) {
    if (const absl::Status status = CheckPoints(request.points); !status.ok()) return status;
    Lot lot;
    lot.issuer = request.partner;
    lot.contract = request.contract;
    lot.issued = lot.waiting = request.points;
    lot.activates_at = After(now_, request.activates_after);
    lot.expires_at = After(now_, request.expires_after);
    lot.cancel_on_due = request.cancel_on_due;
    lot.restricted_to = request.restricted_to;
    const LotId id = NewLot(lot).first;
    Note(IssuedBy(lot.issuer), Pending(id), lot.issued, lot.contract, Movement::kIssued);
    LiveUntilNow();
  }
  if (request.funder) {
    Lot lot;
    lot.issuer = request.funder;
    lot.contract = request.funder_contract;
    lot.issued = lot.waiting = request.funder_points;
    lot.activates_at = now_;
    lot.expires_at = After(now_, request.expires_after);
    const LotId id = NewLot(lot).first;
    Note(IssuedBy(lot.issuer), Pending(id), lot.issued, lot.contract, Movement::kIssued);
    LiveUntilNow();
  }
  return Text("earned", request.points);
}

absl::StatusOr<std::string> Account::Confirm(const Request& request) {
  const auto lot = lots_.find(ledger::MakeLotId(request.target));
  if (lot == lots_.end() || lot->second.waiting == kNothing) {
    return Refuse(Reason::kAlreadyConfirmed);
  }
  const Points points = lot->second.waiting;
  Activate(*lot);
  LiveUntilNow();
  return Text("confirmed", points);
}

absl::StatusOr<std::string> Account::Cancel(const Request& request) {
  const auto lot = lots_.find(ledger::MakeLotId(request.target));
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
  const auto found = lots_.find(ledger::MakeLotId(request.target));
  if (found == lots_.end()) return Refuse(Reason::kReturnExceedsSale);
  auto& [id, lot] = *found;
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
  Note(Available(id), IssuedBy(lot.issuer), from_free, lot.contract, Movement::kReversed);
  left -= from_free;

  // Fees last.
  const Points from_expired = std::min(left, lot.expired);
  lot.expired -= from_expired;
  lot.forfeited = std::min(lot.forfeited, lot.expired);
  Note(Expired(), IssuedBy(lot.issuer), from_expired, lot.contract, Movement::kReversed);
  left -= from_expired;

  lot.owed += left;
  Note(Debt(id), IssuedBy(lot.issuer), left, lot.contract, Movement::kReversed);
  lot.reversed += from_free + from_expired + left;
  RepayDebts();
  return Text("owes", owed() - owed_before);
}

// ---- Parts of the above.

Account::LotEntry& Account::NewLot(Lot lot) {
  const LotId id = ledger::MakeLotId(number_, lots_made_++);
  return *lots_.insert_or_assign(id, std::move(lot)).first;
}

void Account::Activate(LotEntry& entry) {
  auto& [id, lot] = entry;
  Note(Pending(id), Available(id), lot.waiting, lot.contract, Movement::kActivated);
  lot.free += lot.waiting;
  lot.waiting = kNothing;
  lot.active = true;
}

void Account::CancelWaiting(LotEntry& entry, Points points) {
  auto& [id, lot] = entry;
  lot.waiting -= points;
  lot.reversed += points;
  Note(Pending(id), IssuedBy(lot.issuer), points, lot.contract, Movement::kReversedPending);
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

void Account::Note(Place from, Place to, Points points, ContractId contract, Movement movement) {
  if (points != kNothing) moves_.push_back({from, to, points, contract, movement});
}

Points Account::Sum(Points Lot::*part) const {
  Points sum;
  for (const auto& [id, lot] : lots_) sum += lot.*part;
  return sum;
}

}  // namespace guilder::model
