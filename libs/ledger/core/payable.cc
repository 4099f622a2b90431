#include "libs/ledger/core/payable.h"

#include <algorithm>

#include "libs/base/reason.h"

namespace guilder::ledger {

bool BoundsBaskets(const RedemptionTerms& terms) {
  return terms.maximum_share_per_mille < 1'000 || !terms.excluded_categories.empty() ||
         !terms.excluded_skus.empty();
}

MinorUnits PayableValue(const RedemptionTerms& terms, const std::vector<BasketLine>& basket) {
  MinorUnits whole;
  MinorUnits payable;
  for (const BasketLine& line : basket) {
    whole += line.amount;
    const bool excluded =
        terms.excluded_categories.contains(line.category) || terms.excluded_skus.contains(line.sku);
    if (!excluded) payable += line.amount;
  }
  const __int128 share = static_cast<__int128>(whole.value()) * terms.maximum_share_per_mille;
  return std::min(payable, MinorUnits(static_cast<int64_t>(share / 1'000)));
}

Points MostPayable(const Configuration& configuration, const Contract& contract, MinorUnits value,
                   Points available) {
  const RedemptionTerms& terms = contract.redemption;
  int64_t most =
      std::min({configuration.PointsWithin(value, contract.rate_micros, contract.currency),
                available, kMaxPointsPerCommand})
          .value();
  if (most <= 0) return Points(0);
  if (terms.step > Points(0)) most -= most % terms.step.value();
  return Points(most) < terms.minimum ? Points(0) : Points(most);
}

Points PayableNow(const Configuration& configuration, const Contract& contract,
                  const std::vector<BasketLine>& basket, const Posting& posting,
                  const Spending& spending) {
  const AccountState& account = posting.account();
  if (account.debt > Points(0) || account.status != AccountStatus::kOpen) return Points(0);
  return MostPayable(configuration, contract, PayableValue(contract.redemption, basket),
                     posting.SpendableOn(spending));
}

absl::Status CheckPayable(const Configuration& configuration, const Contract& contract,
                          const std::vector<BasketLine>& basket, Points points) {
  const RedemptionTerms& terms = contract.redemption;
  Points most = kMaxPointsPerCommand;
  if (!basket.empty()) {
    most = MostPayable(configuration, contract, PayableValue(terms, basket), kMaxPointsPerCommand);
  }
  const bool whole_steps = terms.step <= Points(0) || points.value() % terms.step.value() == 0;
  if (points >= terms.minimum && whole_steps && points <= most) return absl::OkStatus();
  ReasonDetails details{{"minimum_points", std::to_string(terms.minimum.value())},
                        {"step_points", std::to_string(terms.step.value())}};
  if (!basket.empty()) details["payable_points"] = std::to_string(most.value());
  return Refuse(Reason::kRedemptionNotPayable, {}, details);
}

}  // namespace guilder::ledger
