#include "services/member/domain/reinstatement.h"

#include <vector>

namespace guilder::member {

Points DecideReinstatement(const ledger::Configuration& configuration,
                           const ReinstatementTerms& terms, ledger::Posting& posting) {
  std::vector<std::pair<LotId, Points>> expired;
  for (const ledger::Lot& lot : posting.account().lots) {
    // As it was when they expired: what the member does since moves it no more.
    const Timestamp ended = lot.ends_at();
    const bool meant = terms.from <= ended && ended < terms.until && ended <= posting.now() &&
                       (!terms.issuer || lot.issuer == terms.issuer);
    if (meant && lot.expired > Points(0)) expired.emplace_back(lot.id, lot.expired);
    if (expired.size() == ledger::kMostLotsSent) break;
  }
  const Timestamp ends = configuration.EndOfDayAfter(posting.now(), terms.life_days);
  Points points;
  for (const auto& [lot, lost] : expired) {
    posting.Reinstate(lot, lost, ends);
    points += lost;
  }
  posting.BringUpToNow();
  return points;
}

}  // namespace guilder::member
