// What goes from one account to another, and comes back.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/ledger/core/account.h"
#include "tests/model/reference_model.h"

namespace guilder::model {
namespace {

using ledger::Movement;

constexpr Timestamp kReversible(int64_t{kReversalMinutes} * 60 * kMicrosPerSecond);

absl::Status CheckOpen(const Account& one, const Account& other) {
  if (one.merged_into() || other.merged_into()) return Refuse(Reason::kAccountClosed);
  return absl::OkStatus();
}

absl::StatusOr<std::string> Transfer(const Request& request, Account& from, Account& to) {
  const Points points = request.points;
  const Points fee = TransferFee(points);
  if (points < Points(1)) {
    return Refuse(Reason::kLimitExceeded, {},
                  {{"limit", "minimum_points"}, {"minimum_points", "1"}});
  }
  if (const absl::Status open = CheckOpen(from, to); !open.ok()) return open;
  if (from.owed() > kNothing) {
    return Refuse(Reason::kAccountInDebt, {}, {{"debt_points", absl::StrCat(from.owed().value())}});
  }
  if (from.available() < points + fee) {
    return Refuse(Reason::kInsufficientPoints, {},
                  {{"available_points", absl::StrCat(from.available().value())},
                   {"fee_points", absl::StrCat(fee.value())}});
  }
  to.Receive(from.Send(points));
  from.Forfeit(fee);
  return absl::StrCat("moved ", points.value(), ", received by ", to.number().value());
}

absl::StatusOr<std::string> ReverseTransfer(const Request& request, Account& giver,
                                            Account& receiver) {
  if (const absl::Status open = CheckOpen(giver, receiver); !open.ok()) return open;
  if (giver.now() > request.transferred_at + kReversible) {
    return Refuse(
        Reason::kLimitExceeded, {},
        {{"limit", "reversal_minutes"}, {"reversal_minutes", absl::StrCat(kReversalMinutes)}});
  }
  const Points left = receiver.LeftOf(request.received_by);
  if (left != request.points) {
    return Refuse(Reason::kWrongState, {}, {{"left_points", absl::StrCat(left.value())}});
  }
  giver.Receive(receiver.SendLotsOf(request.received_by));
  return Text("moved back", left);
}

absl::StatusOr<std::string> Merge(Account& from, Account& into) {
  if (const absl::Status open = CheckOpen(from, into); !open.ok()) return open;
  from.MergeInto(into);
  return std::string("merged");
}

// What a record of a merged account has left comes home, is decided over as ever, and what is then
// free or owed goes on to the one that goes on.
absl::StatusOr<std::string> DecideAtHome(const Request& request, Account& home, Account& survivor) {
  if (request.verb != Verb::kPay) survivor.BringHome(home, request.target);
  home.LiveUntilNow();
  survivor.LiveUntilNow();
  absl::StatusOr<std::string> response = home.Decide(request);
  home.LiveUntilNow();
  survivor.Receive(home.SendAll());
  survivor.ReceiveDebts(home.SendDebts());
  return response;
}

absl::StatusOr<std::string> DecideOverTwo(const Request& request, Account& first, Account& second) {
  if (!NamesTwo(request.verb)) return DecideAtHome(request, first, second);
  first.LiveUntilNow();
  second.LiveUntilNow();
  if (request.verb == Verb::kTransfer) return Transfer(request, first, second);
  if (request.verb == Verb::kReverseTransfer) return ReverseTransfer(request, first, second);
  return Merge(first, second);
}

}  // namespace

absl::StatusOr<std::string> DecideOver(const Request& request, Account& first, Account* second) {
  absl::StatusOr<std::string> response;
  if (second == nullptr) {
    first.LiveUntilNow();
    response = first.Decide(request);
  } else {
    response = DecideOverTwo(request, first, *second);
    second->LiveUntilNow();
  }
  first.LiveUntilNow();
  return response;
}

// The receiving lot lives as long as this one, and names the lot that its points were issued into.
Parcel Account::ParcelOf(const LotEntry& entry, Points points) const {
  const auto& [id, from] = entry;
  Parcel parcel;
  parcel.points = points;
  Lot& lot = parcel.lot;
  lot.issuer = from.issuer;
  lot.contract = from.contract;
  lot.activates_at = from.activates_at;
  lot.expires_at = from.end();
  lot.cancel_on_due = from.cancel_on_due;
  lot.restricted_to = from.restricted_to;
  lot.active = from.active;
  lot.first_account = from.first_account ? from.first_account : id_;
  lot.first_lot = from.first_account ? from.first_lot : id;
  return parcel;
}

Parcel Account::SendFrom(LotEntry& entry, Points points) {
  auto& [id, lot] = entry;
  (lot.active ? lot.free : lot.waiting) -= points;
  lot.moved += points;
  Note(lot.active ? Available(id) : Pending(id), InTransit(), points, {});
  return ParcelOf(entry, points);
}

std::vector<Parcel> Account::Send(Points points) {
  std::vector<Parcel> parcels;
  for (LotEntry* lot : InOrderOfConsumption()) {
    const Points sent = std::min(points, lot->second.free);
    if (sent == kNothing) break;
    parcels.push_back(SendFrom(*lot, sent));
    points -= sent;
  }
  return parcels;
}

std::vector<Parcel> Account::SendAll() {
  std::vector<Parcel> parcels;
  for (LotEntry& lot : lots_) {
    const Points left = lot.second.waiting + lot.second.free;
    if (left > kNothing) parcels.push_back(SendFrom(lot, left));
  }
  return parcels;
}

std::vector<Parcel> Account::SendLotsOf(RecordNumber record) {
  std::vector<Parcel> parcels;
  for (LotEntry& lot : lots_) {
    const Points left = lot.second.waiting + lot.second.free;
    if (ledger::RecordOf(lot.first) == record && left > kNothing) {
      parcels.push_back(SendFrom(lot, left));
    }
  }
  return parcels;
}

Points Account::LeftOf(RecordNumber record) const {
  Points left;
  for (const auto& [id, lot] : lots_) {
    if (ledger::RecordOf(id) == record) left += lot.waiting + lot.free;
  }
  return left;
}

void Account::Receive(const std::vector<Parcel>& parcels) {
  for (const Parcel& parcel : parcels) {
    Lot received = parcel.lot;
    received.issued = parcel.points;
    (received.active ? received.free : received.waiting) = parcel.points;
    const LotId id = NewLot(received).first;
    Note(InTransit(), received.active ? Available(id) : Pending(id), parcel.points, {});
  }
}

std::vector<Parcel> Account::SendDebts() {
  std::vector<Parcel> parcels;
  for (LotEntry& entry : lots_) {
    auto& [id, lot] = entry;
    if (lot.owed == kNothing) continue;
    parcels.push_back(ParcelOf(entry, lot.owed));
    Note(InTransit(), Debt(id), lot.owed, {});
    lot.moved -= lot.owed;
    lot.owed = kNothing;
  }
  return parcels;
}

void Account::ReceiveDebts(const std::vector<Parcel>& debts) {
  for (const Parcel& debt : debts) {
    Lot received = debt.lot;
    received.active = true;
    received.owed = received.moved = debt.points;
    const LotId id = NewLot(received).first;
    Note(Debt(id), InTransit(), debt.points, {});
  }
}

// Points that were available here are available at home.
void Account::BringHome(Account& home, RecordNumber record) {
  for (LotEntry& entry : lots_) {
    auto& [id, lot] = entry;
    if (lot.first_account != home.id() || ledger::RecordOf(lot.first_lot) != record) continue;
    Lot& first = home.lots_.at(lot.first_lot);
    const auto arrive = [&](Points points) {
      if (points > kNothing && lot.active) first.active = true;
      (first.active ? first.free : first.waiting) += points;
      first.moved -= points;
      home.Note(InTransit(), first.active ? Available(lot.first_lot) : Pending(lot.first_lot),
                points, {});
    };
    const Points left = lot.waiting + lot.free;
    if (left > kNothing) SendFrom(entry, left);
    arrive(left);
    const Points expired = lot.expired - lot.forfeited;
    lot.expired -= expired;
    lot.moved += expired;
    Note(Expired(), InTransit(), expired, lot.contract, Movement::kReinstated);
    arrive(expired);
  }
}

void Account::Forfeit(Points points) {
  for (LotEntry* entry : InOrderOfConsumption()) {
    auto& [id, lot] = *entry;
    const Points taken = std::min(points, lot.free);
    lot.free -= taken;
    lot.expired += taken;
    lot.forfeited += taken;
    points -= taken;
    Note(Available(id), Expired(), taken, lot.contract, Movement::kExpired);
  }
}

void Account::MergeInto(Account& other) {
  other.Receive(SendAll());
  other.ReceiveDebts(SendDebts());
  other.cards_.merge(cards_);
  merged_into_ = other.id_;
}

}  // namespace guilder::model
