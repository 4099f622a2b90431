#include "services/member/domain/opening.h"

#include <string_view>

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/ledger/core/decide.h"

namespace guilder::member {

const ledger::Contract* ContractOf(const ledger::Configuration& configuration,
                                   const OpeningLot& lot, Timestamp now) {
  const ledger::Partner* const issuer = configuration.FindPartner(std::string_view(lot.issuer));
  if (issuer == nullptr) return nullptr;
  if (lot.contract == 0 && lot.billed) {
    return issuer->ContractAt(ledger::ContractKind::kIssuance, now);
  }
  const ledger::Contract* found = nullptr;
  for (const ledger::Contract& version : issuer->issuance) {
    const bool fits = lot.contract == 0 ? version.rate_micros == 0 : version.number == lot.contract;
    if (fits) found = &version;
  }
  return found;
}

absl::StatusOr<Points> DecideOpening(const ledger::Configuration& configuration,
                                     const std::vector<OpeningLot>& lots,
                                     ledger::Posting& posting) {
  Points points;
  for (const OpeningLot& lot : lots) {
    const ledger::Partner* const issuer = configuration.FindPartner(std::string_view(lot.issuer));
    if (issuer == nullptr) return Refuse(Reason::kPartnerNotFound, lot.issuer);
    const ledger::Contract* const contract = ContractOf(configuration, lot, posting.now());
    if (contract == nullptr) {
      if (lot.contract != 0) return Refuse(Reason::kContractNotFound);
      return Refuse(Reason::kNoContract,
                    lot.billed ? "no issuance contract is in force"
                               : "no issuance contract has a rate of zero, for opening balances");
    }
    if (lot.expires_at <= posting.now()) {
      return Refuse(Reason::kRequestMalformed, "expires_at is over", {{"field", "expires_at"}});
    }
    ledger::EarnTerms terms;
    terms.issuer = issuer->id;
    terms.contract = contract->id;
    terms.restricted_to = lot.spent_only.value_or(contract->restricted_to);
    terms.points = lot.points;
    terms.activates_at = lot.activates_at.value_or(posting.now());
    terms.expires_at = lot.expires_at;
    terms.lives_by_activity = configuration.LivesByActivity(posting.now());
    GUILDER_RETURN_IF_ERROR(ledger::DecideEarn(posting, terms));
    points += lot.points;
  }
  return points;
}

}  // namespace guilder::member
