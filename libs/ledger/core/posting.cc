#include "libs/ledger/core/posting.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

namespace guilder::ledger {

namespace {

// Whether a lot may take over what one of that restriction had paid for.
bool MayTakeOver(const Lot& lot, const Restriction& of) {
  return !lot.restricted_to || lot.restricted_to == of;
}

}  // namespace

// What falls due on one date happens in this order.
enum class DueKind { kNothing, kLotActivation, kHoldExpiry, kLotExpiry };

struct Posting::Due {
  DueKind kind = DueKind::kNothing;
  Timestamp at = kNever;
  LotId lot;
  RecordNumber hold;

  bool Before(const Due& other) const {
    return std::tie(at, kind, lot, hold) < std::tie(other.at, other.kind, other.lot, other.hold);
  }
};

Posting::Due Posting::FirstDue(const AccountState& account) {
  Due first;
  const auto consider = [&](const Due& due) {
    if (first.kind == DueKind::kNothing || due.Before(first)) first = due;
  };
  for (const Lot& lot : account.lots) {
    if (lot.free() <= Points(0)) continue;
    if (lot.state == LotState::kPending) {
      consider({DueKind::kLotActivation, lot.activates_at, lot.id, {}});
    }
    const Timestamp end = account.EndOf(lot);
    if (end != kNever) consider({DueKind::kLotExpiry, end, lot.id, {}});
  }
  for (const Hold& hold : account.holds) {
    if (hold.open()) {
      consider({DueKind::kHoldExpiry, hold.expires_at, {}, hold.number});
    }
  }
  return first;
}

void Posting::BringUpToNow() {
  // What a released hold gives back may be past its date already, so dates can step back here.
  Timestamp reached;
  Due due = FirstDue(account_);
  while (due.kind != DueKind::kNothing && due.at <= now_) {
    reached = std::max(reached, due.at);
    Take(due);
    due = FirstDue(account_);
    // A debt is repaid when points become available, before they expire later: so it does not
    // matter how often, or how late, an account is brought up.
    if (due.kind == DueKind::kNothing || due.at > reached) RepayDebt();
  }
  RepayDebt();
}

void Posting::Take(const Due& due) {
  switch (due.kind) {
    case DueKind::kLotActivation: {
      Lot& lot = *account_.FindLot(due.lot);
      if (lot.on_due == OnDue::kActivate) {
        Activate(lot.id);
      } else {
        CancelPending(lot, lot.remaining);
      }
      break;
    }
    case DueKind::kHoldExpiry:
      Release(due.hold, HoldState::kExpired);
      break;
    case DueKind::kLotExpiry:
      Expire(*account_.FindLot(due.lot));
      break;
    case DueKind::kNothing:
      break;
  }
}

LotId Posting::Issue(Lot lot) {
  lot.id = MakeLotId(number_, static_cast<int64_t>(new_lots_.size()));
  lot.remaining = lot.issued;
  new_lots_.push_back(lot);
  account_.lots.push_back(lot);
  // What is due already happens within this posting.
  const Timestamp activates_at = lot.activates_at > now_ ? lot.activates_at : kNever;
  account_.next_due_at = std::min({account_.next_due_at, activates_at, account_.EndOf(lot)});
  Move(Control(Bucket::kIssued, lot.issuer), Member(Bucket::kPending, lot.id), lot.issued,
       lot.contract);
  return lot.id;
}

void Posting::Activate(LotId id) {
  Lot& lot = *account_.FindLot(id);
  lot.state = LotState::kActive;
  Move(Member(Bucket::kPending, id), Member(Bucket::kAvailable, id), lot.remaining, lot.contract);
}

void Posting::CancelPending(Lot& lot, Points points) {
  lot.remaining -= points;
  lot.reversed += points;
  Move(Member(Bucket::kPending, lot.id), Control(Bucket::kIssued, lot.issuer), points,
       lot.contract);
}

void Posting::Reverse(LotId id, Points points) {
  Lot& lot = *account_.FindLot(id);
  if (lot.state == LotState::kPending) {
    const Points cancelled = std::min(points, lot.remaining);
    CancelPending(lot, cancelled);
    points -= cancelled;
  }
  const Points free = std::min(points, lot.free());
  if (free > Points(0)) {
    lot.remaining -= free;
    lot.reversed += free;
    Move(Member(Bucket::kAvailable, id), Control(Bucket::kIssued, lot.issuer), free, lot.contract);
    points -= free;
  }
  points -= ReverseExpired(lot, points);
  if (points > Points(0)) {
    lot.reversed += points;
    lot.debt += points;
    Move(Member(Bucket::kDebt, id), Control(Bucket::kIssued, lot.issuer), points, lot.contract);
    RepayDebt();
  }
}

Points Posting::ReverseExpired(Lot& lot, Points most) {
  // No side is the member's, and still the entries say whose points they were; that of what was
  // forfeited on both sides.
  Side from = Control(Bucket::kExpired, {});
  from.lot = lot.id;
  Side to = Control(Bucket::kIssued, lot.issuer);
  const Points lapsed = std::min(most, lot.lapsed());
  Move(from, to, lapsed, lot.contract);
  const Points forfeited = std::min(most - lapsed, lot.forfeited);
  to.lot = lot.id;
  Move(from, to, forfeited, lot.contract);
  lot.forfeited -= forfeited;
  lot.expired -= lapsed + forfeited;
  lot.reversed += lapsed + forfeited;
  return lapsed + forfeited;
}

void Posting::RepayDebt() {
  if (account_.debt == Points(0) || account_.available == Points(0)) return;
  const std::vector<Lot*> payers = InOrderOfConsumption();
  for (Lot& debtor : account_.lots) {
    for (Lot* payer : payers) {
      // Another lot takes over what the debtor lot had paid for, so no more than was redeemed; and
      // one that may only be spent somewhere, only of a lot that was spent there.
      const bool itself = payer == &debtor;
      if (!itself && !MayTakeOver(*payer, debtor.restricted_to)) continue;
      const Points most = itself ? debtor.debt : std::min(debtor.debt, debtor.redeemed);
      const Points paid = std::min(most, payer->free());
      if (paid > Points(0)) {
        payer->remaining -= paid;
        if (!itself) {
          payer->redeemed += paid;
          debtor.redeemed -= paid;
        }
        debtor.debt -= paid;
        Move(Member(Bucket::kAvailable, payer->id), Member(Bucket::kDebt, debtor.id), paid, {});
      }
      if (itself) continue;
      // The same for what the debtor lot had sent to another account. That it is this, and not a
      // redemption, shows from the entry: it names the contract.
      const Points taken_over =
          std::min({debtor.debt, std::max(debtor.moved, Points(0)), payer->free()});
      if (taken_over <= Points(0)) continue;
      payer->remaining -= taken_over;
      payer->moved += taken_over;
      debtor.moved -= taken_over;
      debtor.debt -= taken_over;
      Move(Member(Bucket::kAvailable, payer->id), Member(Bucket::kDebt, debtor.id), taken_over,
           debtor.contract);
    }
  }
}

void Posting::Expire(Lot& lot) {
  // What came back from a hold or a refund after its day pays what its own lot owes: expired, it
  // would leave a debt behind that nothing else may repay.
  const Points owed = lot.state == LotState::kActive ? std::min(lot.debt, lot.free()) : Points(0);
  lot.remaining -= owed;
  lot.debt -= owed;
  Move(Member(Bucket::kAvailable, lot.id), Member(Bucket::kDebt, lot.id), owed, {});
  const Points points = lot.free();
  const Bucket from = lot.state == LotState::kPending ? Bucket::kPending : Bucket::kAvailable;
  lot.remaining -= points;
  lot.expired += points;
  KeepEnd(lot);
  Move(Member(from, lot.id), Control(Bucket::kExpired, {}), points, lot.contract);
}

void Posting::KeepEnd(Lot& lot) const {
  const Timestamp end = account_.EndOf(lot);
  if (end <= now_ && end > lot.ends_at()) lot.restored_until = end;
}

std::vector<Lot*> Posting::InOrderOfConsumption() {
  std::vector<Lot*> order;
  for (Lot& lot : account_.lots) {
    if (lot.state == LotState::kActive && lot.free() > Points(0)) order.push_back(&lot);
  }
  std::sort(order.begin(), order.end(), [&](const Lot* a, const Lot* b) {
    return std::make_tuple(account_.EndOf(*a), a->id) < std::make_tuple(account_.EndOf(*b), b->id);
  });
  return order;
}

Points Posting::SpendableOn(const Spending& spending) const {
  Points sum;
  for (const Lot& lot : account_.lots) {
    if (lot.state == LotState::kActive && lot.MayPay(spending)) sum += lot.free();
  }
  return sum;
}

void Posting::OpenHold(Hold hold, const Spending& spending, ConsumptionOrder order) {
  hold.number = number_;
  hold.state = hold.reviewed ? HoldState::kInReview : HoldState::kOpen;
  std::vector<Lot*> lots = InOrderOfConsumption();
  std::erase_if(lots, [&](const Lot* lot) { return !lot->MayPay(spending); });
  const auto rank = [&](const Lot* lot) {
    // In how many places its points may be spent.
    const size_t places = lot->restricted_to
                              ? std::max<size_t>(lot->restricted_to.listed().size(), 1)
                              : std::numeric_limits<size_t>::max();
    const Timestamp end = order == ConsumptionOrder::kFirstIn ? Timestamp() : account_.EndOf(*lot);
    return std::make_tuple(places, end, lot->id);
  };
  std::sort(lots.begin(), lots.end(),
            [&](const Lot* a, const Lot* b) { return rank(a) < rank(b); });
  Points missing = hold.authorized;
  for (Lot* lot : lots) {
    const Points taken = std::min(missing, lot->free());
    if (taken <= Points(0)) break;
    lot->held += taken;
    hold.parts.push_back({lot->id, taken, Points(0), Points(0)});
    Move(Member(Bucket::kAvailable, lot->id), Member(Bucket::kHeld, lot->id), taken, {});
    missing -= taken;
  }
  account_.next_due_at = std::min(account_.next_due_at, hold.expires_at);
  new_hold_ = hold;
  account_.holds.push_back(std::move(hold));
}

void Posting::Capture(RecordNumber number, Points points) {
  const Hold& hold = *account_.FindHold(number);
  CaptureFor(number, points, hold.partner, hold.contract);
}

void Posting::CaptureFor(RecordNumber number, Points points, PartnerId partner,
                         ContractId contract) {
  Hold& hold = *account_.FindHold(number);
  for (HoldPart& part : hold.parts) {
    const Points taken = std::min(points, part.held);
    if (taken <= Points(0)) continue;
    Lot& lot = *account_.FindLot(part.lot);
    part.held -= taken;
    part.captured += taken;
    lot.held -= taken;
    lot.remaining -= taken;
    lot.redeemed += taken;
    Move(Member(Bucket::kHeld, lot.id), Control(Bucket::kRedeemed, partner), taken, contract);
    points -= taken;
  }
  if (hold.held() == Points(0)) hold.state = HoldState::kCaptured;
}

void Posting::Release(RecordNumber number, HoldState state) {
  Hold& hold = *account_.FindHold(number);
  for (HoldPart& part : hold.parts) {
    if (part.held == Points(0)) continue;
    Lot& lot = *account_.FindLot(part.lot);
    lot.held -= part.held;
    Move(Member(Bucket::kHeld, lot.id), Member(Bucket::kAvailable, lot.id), part.held, {});
    part.held = Points(0);
  }
  hold.state = hold.captured() > Points(0) ? HoldState::kCaptured : state;
}

void Posting::ReleaseFromReview(RecordNumber number) {
  account_.FindHold(number)->state = HoldState::kOpen;
}

void Posting::Refund(RecordNumber number, Points points, Timestamp grace_until) {
  const Hold& hold = *account_.FindHold(number);
  RefundFrom(number, points, hold.partner, hold.contract, grace_until);
}

void Posting::RefundFrom(RecordNumber number, Points points, PartnerId partner, ContractId contract,
                         Timestamp grace_until) {
  Hold& hold = *account_.FindHold(number);
  const auto restore = [&](Lot& lot, Points back) {
    const bool over = (own_sparing_ ? account_.OwnEndOf(lot) : account_.EndOf(lot)) <= now_;
    if (over && grace_until > now_) {
      lot.restored_until = grace_until;
      restored_until_ = grace_until;
    }
    lot.redeemed -= back;
    lot.remaining += back;
    Move(Control(Bucket::kRedeemed, partner), Member(Bucket::kAvailable, lot.id), back, contract);
  };
  // A lot whose redemption another lot took over, because the goods that earned it came back, has
  // less redeemed than it gave to this hold; the difference goes back to the lots that took over.
  std::vector<std::pair<Restriction, Points>> taken_over;
  for (auto part = hold.parts.rbegin(); part != hold.parts.rend(); ++part) {
    const Points back = std::min(points, part->captured - part->refunded);
    if (back <= Points(0)) continue;
    Lot& lot = *account_.FindLot(part->lot);
    const Points own = std::min(back, lot.redeemed);
    if (own > Points(0)) restore(lot, own);
    part->refunded += back;
    points -= back;
    if (back > own) taken_over.emplace_back(lot.restricted_to, back - own);
  }
  // What could be spent anywhere comes back as what may be spent only somewhere where nothing else
  // is left, and not before.
  for (const bool anyhow : {false, true}) {
    for (auto& [restriction, missing] : taken_over) {
      for (auto lot = account_.lots.rbegin(); lot != account_.lots.rend(); ++lot) {
        const Points back = std::min(missing, lot->redeemed);
        if (back <= Points(0) || !(anyhow || MayTakeOver(*lot, restriction))) continue;
        restore(*lot, back);
        missing -= back;
      }
    }
  }
}

void Posting::Close() {
  for (Lot& lot : account_.lots) {
    if (lot.free() > Points(0)) Expire(lot);
  }
  account_.status = AccountStatus::kClosed;
}

void Posting::Move(Side debit, Side credit, Points points, ContractId contract) {
  if (points == Points(0)) return;
  const auto balance_of = [&](Bucket bucket) -> Points* {
    switch (bucket) {
      case Bucket::kPending:
        return &account_.pending;
      case Bucket::kAvailable:
        return &account_.available;
      case Bucket::kHeld:
        return &account_.held;
      default:
        return nullptr;
    }
  };
  if (Points* from = balance_of(debit.bucket)) *from -= points;
  if (Points* to = balance_of(credit.bucket)) *to += points;
  // A debt is what the member owes: a debit raises it.
  if (debit.bucket == Bucket::kDebt) account_.debt += points;
  if (credit.bucket == Bucket::kDebt) account_.debt -= points;
  entries_.push_back({debit, credit, points, contract});
}

Side Posting::Control(Bucket kind, PartnerId partner) const {
  return {ControlAccountId(kind, partner, BookOf(account_.id)), kind, {}};
}

AccountState Posting::TakeAccount() && {
  if (own_sparing_) Spare(own_sparing_->first, own_sparing_->second);
  if (account_.lots_loaded) {
    account_.next_due_at = NextDue(account_);
    const auto open = std::find_if(account_.lots.begin(), account_.lots.end(),
                                   [](const Lot& lot) { return !lot.closed(); });
    if (open != account_.lots.end()) {
      account_.first_open_lot = open->id;
    } else if (!account_.lots.empty()) {
      account_.first_open_lot = LotId(account_.lots.back().id.value() + 1);
    }
  }
  return std::move(account_);
}

}  // namespace guilder::ledger
