#include "libs/ledger/core/limit.h"

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
