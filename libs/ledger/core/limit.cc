#include "libs/ledger/core/limit.h"

#include <algorithm>

namespace guilder::ledger {

Points AllowanceChange(const Entry& entry) {
  switch (MovementOf(entry.debit.bucket, entry.credit.bucket)) {
    case Movement::kIssued:
      return -entry.points;
    case Movement::kReversed:
    case Movement::kReversedPending:
      return entry.points;
    default:
      return Points(0);
  }
}

Points InUnits(Points points, int64_t units) {
  constexpr __int128 kMost = INT64_MAX / 2;
  const __int128 product = static_cast<__int128>(points.value()) * units;
  return Points(static_cast<int64_t>(std::clamp(product, -kMost, kMost)));
}

std::map<BookId, Points> DivideAllowance(Points total, const std::vector<BookId>& books,
                                         const std::vector<AllowanceNeed>& needs) {
  std::map<BookId, Points> allowances;
  for (const BookId book : books) allowances[book];
  Points rest = total;
  for (const AllowanceNeed& need : needs) {
    if (need.points > rest) continue;
    allowances[need.book] += need.points;
    rest -= need.points;
  }
  const auto count = static_cast<int64_t>(allowances.size());
  if (count == 0) return allowances;
  int64_t odd = rest.value() % count;
  for (auto& [book, points] : allowances) {
    points += Points(rest.value() / count + (odd > 0 ? 1 : 0));
    if (odd > 0) --odd;
  }
  return allowances;
}

}  // namespace guilder::ledger
