// What a partner issued and was not billed for.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"

namespace guilder::partner {

// What happened under one postpaid issuance contract version.
struct IssuedUnderContract {
  int64_t rate_micros = 0;
  Points billed;      // by approved settlements
  MinorUnits amount;  // which that came to, without tax
  Points not_yet_billed;
};

struct UnbilledIssuance {
  Points points;
  // Without tax, rounded as the next settlement will round it.
  MinorUnits amount;
};

// Error: AMOUNT_OUT_OF_RANGE, an amount does not fit 64 bits.
absl::StatusOr<UnbilledIssuance> SumUnbilled(const std::vector<IssuedUnderContract>& contracts,
                                             int currency_exponent);

}  // namespace guilder::partner
