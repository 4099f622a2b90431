// What netting adds up before it decides: exact sums, and all that is known of one contract
// version.
//
// Internal to libs/netting.
#pragma once

#include <map>

#include "absl/status/statusor.h"

#include "libs/base/status_macros.h"
#include "libs/netting/netting.h"

namespace guilder::netting {

using Wide = __int128;

// Error: `AMOUNT_OUT_OF_RANGE`.
absl::StatusOr<int64_t> Narrow(Wide value);

// a × b ÷ divisor, half away from zero. Error: `AMOUNT_OUT_OF_RANGE`.
absl::StatusOr<int64_t> MultiplyDivide(int64_t a, int64_t b, int64_t divisor);

// Points or minor units, added without overflow and narrowed once at the end.
template <typename Quantity>
class Sum {
 public:
  void Add(Quantity quantity) { total_ += quantity.value(); }
  void Subtract(Quantity quantity) { total_ -= quantity.value(); }
  absl::StatusOr<Quantity> Get() const {
    GUILDER_ASSIGN_OR_RETURN(const int64_t value, Narrow(total_));
    return Quantity(value);
  }

 private:
  Wide total_ = 0;
};

struct BilledSums {
  Sum<Points> points;
  Sum<MinorUnits> amount;
  Sum<MinorUnits> tax;
};

// All that is known of one contract version.
struct Contract {
  Terms terms;
  Sum<Points> bought;  // In blocks.
  Sum<Points> billable;
  Sum<Points> redeemed;  // Of its lots.
  Sum<Points> expired;   // Of its lots.
  std::map<MoneyLeg, BilledSums> before;
  Sum<MinorUnits> revenue_before;
  Sum<MinorUnits> breakage_before;
  Sum<MinorUnits> consumed_before;
};

using Contracts = std::map<ContractId, Contract>;

// Adds up what is given by contract version. Errors: as Settle.
absl::StatusOr<Contracts> Gather(const Input& input);

// Whether its issuance is paid for when members spend the points.
bool IsPaidByRedemption(const Terms& terms);

// The points whose issuance is paid for so far.
absl::StatusOr<Points> Payable(const Contract& contract);

// What is issued under the version and neither spent nor expired; negative for members' debts.
absl::StatusOr<Points> Outstanding(const Contract& contract);

template <typename Quantity>
absl::StatusOr<Quantity> Difference(Quantity now, const Sum<Quantity>& before) {
  GUILDER_ASSIGN_OR_RETURN(const Quantity billed, before.Get());
  Sum<Quantity> rest;
  rest.Add(now);
  rest.Subtract(billed);
  return rest.Get();
}

}  // namespace guilder::netting
