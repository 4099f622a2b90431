#include "services/member/domain/reinstatement.h"

#include <utility>
#include <vector>

#include "libs/base/reason.h"

namespace guilder::member {
namespace {

// What the payer pays with: its points, which nobody gets.
absl::Status MakeGood(const ledger::Configuration& configuration, PartnerId payer_id, Points points,
                      ledger::Posting& posting) {
  const ledger::Partner* const payer = configuration.FindPartner(payer_id);
  if (payer == nullptr || payer->state != ledger::PartnerState::kActive) {
    return Refuse(Reason::kPartnerNotActive);
  }
  const ledger::Contract* const contract =
      payer->ContractAt(ledger::ContractKind::kIssuance, posting.now());
  if (contract == nullptr) return Refuse(Reason::kNoContract, "issuance");
  ledger::Lot lot;
  lot.issuer = payer->id;
  lot.contract = contract->id;
  lot.issued = points;
  lot.activates_at = posting.now();
  lot.expires_at = kNever;
  const LotId id = posting.Issue(lot);
  posting.Activate(id);
  posting.ForfeitLot(id);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Points> DecideReinstatement(const ledger::Configuration& configuration,
                                           const ReinstatementTerms& terms,
                                           ledger::Posting& posting) {
  std::vector<std::pair<LotId, Points>> expired;
  for (const ledger::Lot& lot : posting.account().lots) {
    // As it was when they expired: what the member does since moves it no more.
    const Timestamp ended = lot.ends_at();
    const bool meant = terms.from <= ended && ended < terms.until && ended <= posting.now() &&
                       (!terms.issuer || lot.issuer == terms.issuer);
    if (meant && lot.lapsed() > Points(0)) expired.emplace_back(lot.id, lot.lapsed());
    if (expired.size() == ledger::kMostLotsSent) break;
  }
  const Timestamp ends = configuration.EndOfDayAfter(posting.now(), terms.life_days);
  Points points;
  for (const auto& [lot, lost] : expired) {
    posting.Reinstate(lot, lost, ends);
    points += lost;
  }
  const auto* const operator_partner = configuration.operator_partner();
  const bool operator_pays = operator_partner != nullptr && terms.payer == operator_partner->id;
  if (points > Points(0) && !operator_pays) {
    if (absl::Status paid = MakeGood(configuration, terms.payer, points, posting); !paid.ok()) {
      return paid;
    }
  }
  posting.BringUpToNow();
  return points;
}

}  // namespace guilder::member
