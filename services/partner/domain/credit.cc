#include "services/partner/domain/credit.h"

#include <algorithm>

#include "libs/ledger/core/limit.h"

namespace guilder::partner {
namespace {

__int128 InMicros(MinorUnits amount, int currency_exponent) {
  __int128 micros = amount.value();
  for (int digit = currency_exponent; digit < 6; ++digit) micros *= 10;
  return micros;
}

}  // namespace

std::optional<Points> CreditToGrant(const ExposurePolicy& policy, const CreditFacts& facts) {
  constexpr __int128 kMillion = 1'000'000;
  const auto micros = [&](MinorUnits amount) { return InMicros(amount, facts.currency_exponent); };
  const auto share = [&](MinorUnits limit) {
    return micros(limit) * policy.no_issuance_ppm / kMillion;
  };
  const __int128 both = micros(facts.billed_issuance) + facts.lapsed_micros +
                        facts.unsettled_reimbursement_micros - facts.unbilled_blocks_micros;
  std::optional<__int128> granted;
  if (policy.credit_limit > MinorUnits()) {
    granted = share(policy.credit_limit) + both + facts.expired_micros -
              micros(facts.unpaid_invoices) + micros(policy.collateral) +
              micros(facts.owed_to_partner);
  }
  if (policy.net_debit_cap > MinorUnits() && !facts.pays_at_redemption) {
    const __int128 of_cap = share(policy.net_debit_cap) + both;
    granted = granted ? std::min(*granted, of_cap) : of_cap;
  }
  if (!granted) return std::nullopt;
  return Points(
      static_cast<int64_t>(std::clamp<__int128>(*granted, 0, ledger::kMaxGranted.value())));
}

std::optional<Points> PointsOfCredit(Points micros, int64_t rate_micros) {
  if (rate_micros <= 0) return std::nullopt;
  return Points(micros.value() / rate_micros);
}

}  // namespace guilder::partner
