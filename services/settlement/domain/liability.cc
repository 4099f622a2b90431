#include "services/settlement/domain/liability.h"

#include <map>
#include <tuple>

namespace guilder::settlement {
namespace {

void Add(LotMove move, Points points, LiabilityLine& line) {
  switch (move) {
    case LotMove::kIssued:
      line.issued += points;
      break;
    case LotMove::kReversed:
      line.reversed += points;
      break;
    case LotMove::kRedeemed:
      line.redeemed += points;
      break;
    case LotMove::kExpired:
      line.expired += points;
      break;
    case LotMove::kAdjusted:
      line.adjusted += points;
      break;
  }
}

// What the move does to what is outstanding.
Points Effect(LotMove move, Points points) {
  return move == LotMove::kIssued || move == LotMove::kAdjusted ? points : -points;
}

}  // namespace

std::vector<LiabilityLine> RollForward(const std::vector<LotPoints>& points) {
  std::map<std::tuple<ContractId, Timestamp, int>, LiabilityLine> lines;
  for (const LotPoints& moved : points) {
    LiabilityLine& line = lines[{moved.contract, moved.issued_window, moved.expiry_month}];
    line.contract = moved.contract;
    line.issued_window = moved.issued_window;
    line.expiry_month = moved.expiry_month;
    Add(moved.move, moved.moved, line);
    line.opening += Effect(moved.move, moved.before);
    line.closing += Effect(moved.move, moved.before + moved.moved);
  }
  std::vector<LiabilityLine> sorted;
  for (const auto& [key, line] : lines) {
    LiabilityLine nothing;
    nothing.contract = line.contract;
    nothing.issued_window = line.issued_window;
    nothing.expiry_month = line.expiry_month;
    if (line != nothing) sorted.push_back(line);
  }
  return sorted;
}

absl::StatusOr<MinorUnits> DeferredMoney(const netting::Terms& terms, Points outstanding,
                                         Points pending, int currency_exponent) {
  const bool was_sold =
      terms.funding == netting::Funding::kPostpaid || terms.funding == netting::Funding::kPrepaid;
  if (!was_sold) return MinorUnits();
  const Points billed =
      terms.billed_at == netting::BilledAt::kActivation ? outstanding - pending : outstanding;
  return netting::PriceOfPoints(billed, terms.rate_micros, currency_exponent);
}

}  // namespace guilder::settlement
