#include "services/partner/domain/exposure.h"

#include "libs/base/status_macros.h"
#include "libs/netting/netting.h"

namespace guilder::partner {

absl::StatusOr<UnbilledIssuance> SumUnbilled(const std::vector<IssuedUnderContract>& contracts,
                                             int currency_exponent) {
  UnbilledIssuance unbilled;
  for (const IssuedUnderContract& contract : contracts) {
    // Settlements round what a contract has billed in all.
    GUILDER_ASSIGN_OR_RETURN(const MinorUnits so_far,
                             netting::PriceOfPoints(contract.billed + contract.not_yet_billed,
                                                    contract.rate_micros, currency_exponent));
    unbilled.points += contract.not_yet_billed;
    unbilled.amount += so_far - contract.amount;
  }
  return unbilled;
}

}  // namespace guilder::partner
