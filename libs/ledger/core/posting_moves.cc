// How points leave an account for another, and how they come back.
#include <algorithm>
#include <utility>

#include "libs/ledger/core/posting.h"

namespace guilder::ledger {
namespace {

// The lot that receives points of this one: it ends when it is told, and lives by the activity of
// its new owner where this one lived by activity.
Lot TermsFor(const Lot& lot, const AccountState& account, Timestamp end, Points points) {
  Lot terms;
  terms.issuer = lot.issuer;
  terms.contract = lot.contract;
  terms.issued = points;
  terms.activates_at = lot.activates_at;
  terms.expires_at = end;
  terms.lives_by_activity = lot.lives_by_activity;
  terms.on_due = lot.on_due;
  terms.restricted_to = lot.restricted_to;
  terms.state = lot.state;
  terms.origin = lot.origin.account ? lot.origin : LotOrigin{account.id, lot.id};
  return terms;
}

}  // namespace

Timestamp Posting::EndElsewhere(const Lot& lot) const {
  // Its new owner may live elsewhere: it keeps its own date, and some time where that is over.
  const Timestamp end = account_.OwnEndOf(lot);
  return std::clamp(moved_live_until_, end, account_.EndOf(lot));
}

Sent Posting::SendFrom(Lot& lot, Points points) {
  lot.remaining -= points;
  lot.moved += points;
  Move(Member(FreeBucket(lot), lot.id), Control(Bucket::kInTransit, {}), points, {});
  return {TermsFor(lot, account_, EndElsewhere(lot), points), points};
}

std::vector<Sent> Posting::Send(Points points) {
  std::vector<Sent> sent;
  for (Lot* lot : InOrderOfConsumption()) {
    const Points taken = std::min(points, lot->free());
    if (taken <= Points(0) || sent.size() == kMostLotsSent) break;
    sent.push_back(SendFrom(*lot, taken));
    points -= taken;
  }
  return sent;
}

std::vector<Sent> Posting::SendAll() {
  std::vector<Sent> sent;
  for (Lot& lot : account_.lots) {
    if (lot.free() <= Points(0)) continue;
    if (sent.size() == kMostLotsSent) break;
    sent.push_back(SendFrom(lot, lot.free()));
  }
  return sent;
}

std::vector<Sent> Posting::SendLots(const std::vector<LotId>& lots) {
  std::vector<Sent> sent;
  for (const LotId id : lots) {
    Lot& lot = *account_.FindLot(id);
    if (lot.free() > Points(0)) sent.push_back(SendFrom(lot, lot.free()));
  }
  return sent;
}

void Posting::Receive(const std::vector<Sent>& lots) {
  for (const Sent& sent : lots) {
    Lot lot = sent.terms;
    lot.id = MakeLotId(number_, static_cast<int64_t>(new_lots_.size()));
    lot.remaining = lot.issued;
    new_lots_.push_back(lot);
    account_.lots.push_back(lot);
    const Timestamp activates_at = lot.state == LotState::kPending ? lot.activates_at : kNever;
    account_.next_due_at = std::min({account_.next_due_at, activates_at, account_.EndOf(lot)});
    Move(Control(Bucket::kInTransit, {}), Member(FreeBucket(lot), lot.id), lot.issued, {});
  }
}

std::vector<Sent> Posting::SendDebts() {
  std::vector<Sent> sent;
  for (Lot& lot : account_.lots) {
    if (lot.debt <= Points(0)) continue;
    if (sent.size() == kMostLotsSent) break;
    const Points debt = std::exchange(lot.debt, Points(0));
    lot.moved -= debt;
    Move(Control(Bucket::kInTransit, {}), Member(Bucket::kDebt, lot.id), debt, {});
    Lot terms = TermsFor(lot, account_, EndElsewhere(lot), Points(0));
    terms.state = LotState::kActive;
    sent.push_back({std::move(terms), debt});
  }
  return sent;
}

void Posting::ReceiveDebts(const std::vector<Sent>& debts) {
  for (const Sent& sent : debts) {
    Lot lot = sent.terms;
    lot.id = MakeLotId(number_, static_cast<int64_t>(new_lots_.size()));
    new_lots_.push_back(lot);
    lot.debt = sent.points;
    lot.moved = sent.points;
    account_.lots.push_back(lot);
    Move(Member(Bucket::kDebt, lot.id), Control(Bucket::kInTransit, {}), sent.points, {});
  }
}

void Posting::GiveBack(LotId id, Posting& home) {
  Lot& lot = *account_.FindLot(id);
  Lot* const first = home.account_.FindLot(lot.origin.lot);
  if (first == nullptr || lot.origin.account != home.account_.id) return;
  const auto take_home = [&](Points points) {
    first->remaining += points;
    first->moved -= points;
    home.Move(home.Control(Bucket::kInTransit, {}), home.Member(FreeBucket(*first), first->id),
              points, {});
  };
  // It may have become available here, also what has expired since: nobody pays for that twice.
  const bool comes_back = lot.free() > Points(0) || lot.lapsed() > Points(0);
  if (comes_back && lot.state == LotState::kActive) first->state = LotState::kActive;
  if (lot.free() > Points(0)) {
    const Points free = lot.free();
    SendFrom(lot, free);
    take_home(free);
  }
  if (lot.lapsed() > Points(0)) {
    const Points expired = lot.lapsed();
    lot.expired -= expired;
    lot.moved += expired;
    Side from = Control(Bucket::kExpired, {});
    from.lot = id;
    Move(from, Control(Bucket::kInTransit, {}), expired, lot.contract);
    take_home(expired);
  }
}

void Posting::Forfeit(Points points) {
  for (Lot* lot : InOrderOfConsumption()) {
    const Points taken = std::min(points, lot->free());
    if (taken <= Points(0)) break;
    ForfeitFrom(*lot, taken);
    points -= taken;
  }
}

void Posting::ForfeitLot(LotId id) {
  Lot& lot = *account_.FindLot(id);
  ForfeitFrom(lot, lot.free());
}

void Posting::ForfeitFrom(Lot& lot, Points points) {
  lot.remaining -= points;
  lot.expired += points;
  lot.forfeited += points;
  Side to = Control(Bucket::kExpired, {});
  to.lot = lot.id;
  Move(Member(Bucket::kAvailable, lot.id), to, points, lot.contract);
}

LotId Posting::Reinstate(LotId expired, Points points, Timestamp expires_at) {
  Lot& old = *account_.FindLot(expired);
  old.expired -= points;
  old.moved += points;
  Lot lot = TermsFor(old, account_, expires_at, points);
  const ContractId contract = old.contract;
  lot.id = MakeLotId(number_, static_cast<int64_t>(new_lots_.size()));
  lot.state = LotState::kActive;
  lot.remaining = points;
  new_lots_.push_back(lot);
  account_.lots.push_back(lot);
  account_.next_due_at = std::min(account_.next_due_at, expires_at);
  Side from = Control(Bucket::kExpired, {});
  from.lot = expired;
  Move(from, Member(Bucket::kAvailable, lot.id), points, contract);
  return lot.id;
}

void Posting::NoteActivity(Timestamp until) {
  active_until_ = until;
  account_.active_until = std::max(account_.active_until, until);
}

void Posting::Spare(Timestamp from, Timestamp until) {
  account_.spared_from = from;
  account_.spared_until = until;
}

void Posting::SpareAsAt(const AccountState& other) {
  if (other.spared_until <= now_) return;
  own_sparing_.emplace(account_.spared_from, account_.spared_until);
  Spare(other.spared_from, other.spared_until);
}

void Posting::RecallActivity(Timestamp until) {
  active_until_ = until;
  account_.active_until = until;
}

}  // namespace guilder::ledger
