// What a partner may still owe, as what the ledger grants of its credit limit.
//
// Pure. The unit is a millionth of the programme's major unit of currency, in which points × rate
// is exact, so that the escrow neither drifts from the exposure nor rounds it.
#pragma once

#include <cstdint>
#include <optional>

#include "libs/base/types.h"
#include "services/partner/domain/exposure_policy.h"

namespace guilder::partner {

// What moves a partner's exposure from outside of the books: everything of it but the price of what
// it issued less what was reversed.
struct CreditFacts {
  // Issuance that approved settlements billed: from then on it is in invoices.
  MinorUnits billed_issuance;
  // Of contracts that are billed at redemption: points that expired.
  int64_t expired_micros = 0;
  // Of contracts that are billed at activation: points that expired before it, and so never are.
  int64_t lapsed_micros = 0;
  // Of point blocks: what was sold and not billed yet.
  int64_t unbilled_blocks_micros = 0;
  MinorUnits unpaid_invoices;
  // What settlements owe the partner, and reimbursements that are not settled yet.
  MinorUnits owed_to_partner;
  int64_t unsettled_reimbursement_micros = 0;
  // Whether a contract of it is billed at redemption.
  bool pays_at_redemption = false;
  int currency_exponent = 2;
};

// What is to be granted of the partner's credit limit, over all time: it bounds the price of
// everything that was issued and not reversed. Nothing where the policy states nothing that issuing
// could exceed.
//
//   granted = limit × no_issuance_ppm − (exposure − price of what was issued and not reversed)
//
// The net debit cap bounds it in the same way, but for partners that pay at redemption: what they
// issue is not in the next settlement, so that only a look at the figures can watch their cap.
std::optional<Points> CreditToGrant(const ExposurePolicy& policy, const CreditFacts& facts);

// How many points at that rate so much credit covers; nothing without a rate.
std::optional<Points> PointsOfCredit(Points micros, int64_t rate_micros);

}  // namespace guilder::partner
