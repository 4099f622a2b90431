#include "services/accrual/domain/visits.h"

#include <algorithm>
#include <cstdlib>

namespace guilder::accrual {

Visit VisitOf(PartnerId partner, const Purchase& purchase) {
  return {partner, purchase.receipt.store, purchase.receipt.terminal, purchase.cashier,
          purchase.occurred_at};
}

int CountLike(const std::vector<Visit>& visits, const Visit& visit) {
  return static_cast<int>(std::count_if(visits.begin(), visits.end(), [&](const Visit& other) {
    const bool same_till = !visit.terminal.empty() && other.terminal == visit.terminal;
    const bool same_cashier = !visit.cashier.empty() && other.cashier == visit.cashier;
    return other.partner == visit.partner && other.store == visit.store &&
           (same_till || same_cashier) &&
           std::llabs(other.at.value() - visit.at.value()) < kMicrosPerDay;
  }));
}

}  // namespace guilder::accrual
