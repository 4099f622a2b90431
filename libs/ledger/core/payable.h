// How much of a basket a redemption contract takes in points. One function for the till's quote,
// for the quote of a redemption, for authorizing one, and for what stays paid after a return. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "libs/ledger/core/posting.h"

namespace guilder::ledger {

struct BasketLine {
  std::string sku;
  std::string category;
  MinorUnits amount;

  friend bool operator==(const BasketLine&, const BasketLine&) = default;
};

// Whether the terms take less than the whole of some basket.
bool BoundsBaskets(const RedemptionTerms& terms);

// What of a basket may be paid with points: goods that the terms do not exclude, and no more than
// their share of all goods, rounded down.
MinorUnits PayableValue(const RedemptionTerms& terms, const std::vector<BasketLine>& basket);

// The most points that pay no more than `value` and are no more than `available`: a multiple of the
// step, and not below the minimum; zero when there are none.
Points MostPayable(const Configuration& configuration, const Contract& contract, MinorUnits value,
                   Points available);

// The most that an account, brought up to now, may pay of a basket in the contract's currency:
// nothing while it owes points.
Points PayableNow(const Configuration& configuration, const Contract& contract,
                  const std::vector<BasketLine>& basket, const Posting& posting,
                  const Spending& spending);

// Whether the terms take so many points; with a basket, for that basket.
//
// Refuses: kRedemptionNotPayable, with what the terms are and, of a basket, the most that it takes.
absl::Status CheckPayable(const Configuration& configuration, const Contract& contract,
                          const std::vector<BasketLine>& basket, Points points);

}  // namespace guilder::ledger
