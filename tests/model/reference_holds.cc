// What is held for somebody, and what becomes of it: payments, orders, vouchers.
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "tests/model/reference_model.h"

namespace guilder::model {

using ledger::Movement;

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

bool IsOpen(const Hold& hold) {
  return hold.end == HoldEnd::kOpen || hold.end == HoldEnd::kInReview;
}

absl::StatusOr<std::string> Account::MakeHold(const Request& request) {
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
  Hold& hold = holds_[number_];
  hold.partner = request.partner;
  hold.contract = request.contract;
  hold.authorized = request.points;
  hold.expires_at = After(now_, request.expires_after);
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
  all.target = number_;
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

absl::StatusOr<std::string> Account::Unuse(const Request& request) {
  const auto found = holds_.find(request.target);
  if (found == holds_.end()) return Refuse(Reason::kRedemptionNotFound);
  return GiveBackTo(found->second, request, request.partner, request.contract);
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
absl::StatusOr<std::string> Account::Refund(const Request& request) {
  Hold* hold = FindHold(request);
  if (hold == nullptr) return Refuse(Reason::kRedemptionNotFound);
  return GiveBackTo(*hold, request, hold->partner, hold->contract);
}

absl::StatusOr<std::string> Account::GiveBackTo(Hold& hold, const Request& request,
                                                PartnerId partner, ContractId contract) {
  const Points refundable = hold.captured() - hold.refunded();
  if (request.points <= kNothing || request.points > refundable) {
    return Refuse(Reason::kRefundExceedsCapture, {},
                  {{"refundable_points", absl::StrCat(refundable.value())}});
  }
  const auto give = [&](LotId id, Lot& lot, Points most) {
    const Points given = std::min(most, lot.redeemed);
    const bool over = given > kNothing && lot.end() <= now_;
    if (over && request.grace > Timestamp()) lot.restored_until = now_ + request.grace;
    lot.redeemed -= given;
    lot.free += given;
    Note(RedeemedAt(partner), Available(id), given, contract, Movement::kRefunded);
    return given;
  };
  Points left = request.points;
  std::vector<std::pair<PartnerId, Points>> for_others;
  for (auto part = hold.parts.rbegin(); part != hold.parts.rend(); ++part) {
    const Points back = std::min(left, part->captured - part->refunded);
    part->refunded += back;
    left -= back;
    Lot& lot = lots_.at(part->lot);
    for_others.emplace_back(lot.restricted_to, back - give(part->lot, lot, back));
  }
  // Restricted lots get what others paid only where nothing else is left.
  for (const bool anyhow : {false, true}) {
    for (auto& [restriction, points] : for_others) {
      for (auto lot = lots_.rbegin(); lot != lots_.rend(); ++lot) {
        const PartnerId where = lot->second.restricted_to;
        if (!anyhow && where && where != restriction) continue;
        points -= give(lot->first, lot->second, points);
      }
    }
  }
  return Text("refunded", request.points);
}

absl::StatusOr<std::string> Account::Pay(const Request& request) {
  Request all = request;
  all.points = kNothing;
  all.final = true;
  const absl::StatusOr<std::string> captured = Capture(all);
  if (!captured.ok()) return captured;
  LiveUntilNow();
  const absl::StatusOr<std::string> earned = Earn(request);
  if (!earned.ok()) return earned;
  return absl::StrCat(*captured, ", ", *earned);
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

}  // namespace guilder::model
