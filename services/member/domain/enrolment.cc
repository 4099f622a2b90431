#include "services/member/domain/enrolment.h"

#include "libs/base/status_macros.h"
#include "libs/ledger/core/decide.h"

namespace guilder::member {

absl::StatusOr<Points> DecideWelcomeGift(const ledger::DecisionContext& context,
                                         ledger::Posting& posting) {
  const ledger::Configuration& configuration = context.configuration;
  const Points gift = configuration.programme().welcome_points;
  const ledger::Partner* const payer = configuration.operator_partner();
  if (gift == Points(0) || payer == nullptr || payer->state != ledger::PartnerState::kActive) {
    return Points(0);
  }
  const Timestamp now = posting.now();
  const ledger::Contract* const contract = payer->ContractAt(ledger::ContractKind::kIssuance, now);
  if (contract == nullptr || context.IsExhausted(contract->limit)) return Points(0);
  ledger::EarnTerms terms;
  terms.issuer = payer->id;
  terms.contract = contract->id;
  terms.restricted_to = contract->restricted_to;
  terms.points = gift;
  terms.activates_at = contract->activation_days > 0
                           ? configuration.EndOfDayAfter(now, contract->activation_days)
                           : now;
  terms.expires_at = configuration.ExpiryOf(*contract, now, now);
  terms.lives_by_activity = configuration.LivesByActivity(now);
  GUILDER_RETURN_IF_ERROR(ledger::DecideEarn(posting, terms));
  return gift;
}

Points DecideLapse(ledger::Posting& posting) {
  const Points before = posting.account().pending + posting.account().available;
  // Not by time: wherever the owner turns out to have lived, it does not come back.
  for (const ledger::Lot& lot : posting.account().lots) {
    const bool spendable = lot.state == ledger::LotState::kActive && lot.free() > Points(0);
    if (spendable) posting.ForfeitLot(lot.id);
  }
  // What is pending was never to be spent, and no residence gives that back.
  posting.Close();
  posting.Close(ledger::AccountStatus::kOpen);
  return before - posting.account().pending - posting.account().available;
}

}  // namespace guilder::member
