#include "libs/ledger/core/state.h"

#include <algorithm>

namespace guilder::ledger {

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

Lot* AccountState::FindLot(LotId lot) {
  const auto found =
      std::find_if(lots.begin(), lots.end(), [&](const Lot& l) { return l.id == lot; });
  return found == lots.end() ? nullptr : &*found;
}

Hold* AccountState::FindHold(RecordNumber number) {
  const auto found =
      std::find_if(holds.begin(), holds.end(), [&](const Hold& h) { return h.number == number; });
  return found == holds.end() ? nullptr : &*found;
}

Timestamp NextDue(const AccountState& state) {
  Timestamp next = kNever;
  for (const Lot& lot : state.lots) {
    if (lot.free() <= Points(0)) continue;
    if (lot.state == LotState::kPending) next = std::min(next, lot.activates_at);
    next = std::min(next, state.EndOf(lot));
  }
  for (const Hold& hold : state.holds) {
    if (hold.open()) next = std::min(next, hold.expires_at);
  }
  return next;
}

}  // namespace guilder::ledger
