#include "libs/netting/netting.h"

#include <map>
#include <utility>

#include "libs/base/status_macros.h"
#include "libs/netting/entries.h"
#include "libs/netting/sums.h"

namespace guilder::netting {
namespace {

// One leg's line from what it should have billed by now, left out when nothing changed.
absl::Status AddLine(const Contract& contract, MoneyLeg leg, Points points, MinorUnits amount,
                     const TaxTerms& tax, std::vector<Line>& lines) {
  BilledSums before;
  if (const auto found = contract.before.find(leg); found != contract.before.end()) {
    before = found->second;
  }
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits tax_amount, ShareOfAmount(amount, tax.ppm));
  Line line{contract.terms.partner, contract.terms.contract, leg, {}, points, {}, tax.code, {}};
  GUILDER_ASSIGN_OR_RETURN(line.points, Difference(points, before.points));
  GUILDER_ASSIGN_OR_RETURN(line.amount, Difference(amount, before.amount));
  GUILDER_ASSIGN_OR_RETURN(line.tax, Difference(tax_amount, before.tax));
  line.cumulative_amount = amount;
  line.cumulative_tax = tax_amount;
  if (line.points != Points() || line.amount != MinorUnits() || line.tax != MinorUnits()) {
    lines.push_back(std::move(line));
  }
  return absl::OkStatus();
}

// By points, by amount and by window.
absl::Status AddFee(const Contract& contract, Points points, MinorUnits amount, int exponent,
                    std::vector<Line>& lines) {
  const Terms& terms = contract.terms;
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits by_point,
                           PriceOfPoints(points, terms.fee_micros_per_point, exponent));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits by_amount, ShareOfAmount(amount, terms.fee_ppm));
  GUILDER_ASSIGN_OR_RETURN(const int64_t by_window,
                           MultiplyDivide(terms.fee_per_window.value(), terms.windows, 1));
  Sum<MinorUnits> fee;
  fee.Add(by_point);
  fee.Add(by_amount);
  fee.Add(MinorUnits(by_window));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits fee_amount, fee.Get());
  return AddLine(contract, MoneyLeg::kFee, points, fee_amount, terms.fee_tax, lines);
}

bool HasFee(const Terms& terms) {
  return terms.kind == ContractKind::kRedemption || terms.fee_ppm != 0 ||
         terms.fee_micros_per_point != 0 || terms.fee_per_window != MinorUnits();
}

// The part of the price of outstanding points that their issuer has paid ahead. A member's debt
// needs none, nor does what has become due as a whole.
absl::Status AddReserve(const Contract& contract, int exponent, std::vector<Line>& lines) {
  GUILDER_ASSIGN_OR_RETURN(Points points, Outstanding(contract));
  if (points < Points() || contract.terms.outstanding_due) points = Points();
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits price,
                           PriceOfPoints(points, contract.terms.rate_micros, exponent));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits reserve,
                           ShareOfAmount(price, contract.terms.reserve_ppm));
  return AddLine(contract, MoneyLeg::kReserve, points, reserve, TaxTerms(), lines);
}

// Of what the issuer paid for, or its blocks did; points that it pays for when they are spent cost
// it nothing when they expire.
absl::Status AddBreakage(const Contract& contract, int exponent, std::vector<Line>& lines) {
  const Terms& terms = contract.terms;
  GUILDER_ASSIGN_OR_RETURN(const Points points, contract.expired.Get());
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits price,
                           PriceOfPoints(points, terms.rate_micros, exponent));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits share, ShareOfAmount(price, terms.breakage_ppm));
  return AddLine(contract, MoneyLeg::kBreakage, points, share, terms.tax, lines);
}

// What was sold in advance is billed when it is sold.
absl::Status AddPointBlocks(const Contract& contract, int exponent, std::vector<Line>& lines) {
  const Terms& terms = contract.terms;
  GUILDER_ASSIGN_OR_RETURN(const Points points, contract.bought.Get());
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits price,
                           PriceOfPoints(points, terms.rate_micros, exponent));
  return AddLine(contract, MoneyLeg::kPointBlock, points, price, terms.tax, lines);
}

absl::Status AddIssuanceLines(const Contract& contract, int exponent, std::vector<Line>& lines) {
  const Terms& terms = contract.terms;
  const bool by_redemption = IsPaidByRedemption(terms);
  GUILDER_ASSIGN_OR_RETURN(const Points points, Payable(contract));
  const int64_t rate = terms.funding == Funding::kPrepaid ? 0 : terms.rate_micros;
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits amount, PriceOfPoints(points, rate, exponent));
  GUILDER_RETURN_IF_ERROR(AddLine(contract, MoneyLeg::kIssuance, points, amount, terms.tax, lines));
  if (HasFee(terms)) GUILDER_RETURN_IF_ERROR(AddFee(contract, points, amount, exponent, lines));
  if (terms.funding == Funding::kHybrid) {
    GUILDER_RETURN_IF_ERROR(AddReserve(contract, exponent, lines));
  }
  if (terms.breakage_ppm != 0 && !by_redemption) {
    GUILDER_RETURN_IF_ERROR(AddBreakage(contract, exponent, lines));
  }
  if (terms.funding != Funding::kPrepaid) return absl::OkStatus();
  return AddPointBlocks(contract, exponent, lines);
}

absl::Status AddLines(const Contract& contract, int exponent, std::vector<Line>& lines) {
  const Terms& terms = contract.terms;
  if (terms.kind == ContractKind::kIssuance) return AddIssuanceLines(contract, exponent, lines);
  GUILDER_ASSIGN_OR_RETURN(const Points points, contract.billable.Get());
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits amount,
                           PriceOfPoints(points, terms.rate_micros, exponent));
  GUILDER_RETURN_IF_ERROR(
      AddLine(contract, MoneyLeg::kReimbursement, points, amount, terms.tax, lines));
  return AddFee(contract, points, amount, exponent, lines);
}

// The sums behind a PartnerTotal.
struct PartnerSums {
  Sum<MinorUnits> amount[kMoneyLegs];  // By MoneyLeg.
  Sum<MinorUnits> tax[kMoneyLegs];
};

bool IsPaidToPartner(MoneyLeg leg) {
  return leg == MoneyLeg::kReimbursement || leg == MoneyLeg::kBreakage;
}

absl::StatusOr<PartnerTotal> Total(PartnerId partner, const PartnerSums& sums,
                                   const PartnerTerms& terms) {
  PartnerTotal total;
  total.partner = partner;
  MinorUnits no_tax;  // A reserve is not taxed.
  MinorUnits* const amounts[] = {&total.issuance, &total.reimbursement, &total.fee,
                                 &total.reserve,  &total.breakage,      &total.point_blocks};
  MinorUnits* const taxes[] = {&total.issuance_tax, &total.reimbursement_tax,
                               &total.fee_tax,      &no_tax,
                               &total.breakage_tax, &total.point_blocks_tax};
  Sum<MinorUnits> net;
  for (int i = 0; i < kMoneyLegs; ++i) {
    GUILDER_ASSIGN_OR_RETURN(*amounts[i], sums.amount[i].Get());
    GUILDER_ASSIGN_OR_RETURN(*taxes[i], sums.tax[i].Get());
    if (IsPaidToPartner(static_cast<MoneyLeg>(i))) {
      net.Add(*amounts[i]);
      net.Add(*taxes[i]);
    } else {
      net.Subtract(*amounts[i]);
      net.Subtract(*taxes[i]);
    }
  }
  GUILDER_ASSIGN_OR_RETURN(total.net, net.Get());
  total.carried_in = terms.carried_in;
  net.Add(terms.carried_in);
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits owed, net.Get());
  if (owed > MinorUnits() && owed < terms.minimum_payout) total.carried_out = owed;
  return total;
}

}  // namespace

absl::StatusOr<FeeParts> PartsOfFee(const Line& fee, const Line* billed, const Terms& terms,
                                    int currency_exponent) {
  FeeParts parts;
  const Points points_before = fee.cumulative_points - fee.points;
  GUILDER_ASSIGN_OR_RETURN(
      const MinorUnits points_now,
      PriceOfPoints(fee.cumulative_points, terms.fee_micros_per_point, currency_exponent));
  GUILDER_ASSIGN_OR_RETURN(
      const MinorUnits points_then,
      PriceOfPoints(points_before, terms.fee_micros_per_point, currency_exponent));
  parts.by_points = points_now - points_then;
  if (billed != nullptr) {
    GUILDER_ASSIGN_OR_RETURN(const MinorUnits share_now,
                             ShareOfAmount(billed->cumulative_amount, terms.fee_ppm));
    GUILDER_ASSIGN_OR_RETURN(
        const MinorUnits share_then,
        ShareOfAmount(billed->cumulative_amount - billed->amount, terms.fee_ppm));
    parts.by_amount = share_now - share_then;
  }
  parts.by_windows = fee.amount - parts.by_points - parts.by_amount;
  if (terms.fee_per_window != MinorUnits()) {
    parts.windows = parts.by_windows.value() / terms.fee_per_window.value();
  }
  return parts;
}

absl::StatusOr<Settlement> Settle(const Input& input) {
  GUILDER_ASSIGN_OR_RETURN(const Contracts contracts, Gather(input));

  // Maps ordered by partner and contract are what makes the result independent of the input's
  // order.
  std::map<std::pair<PartnerId, ContractId>, const Contract*> sorted;
  for (const auto& [id, contract] : contracts) sorted[{contract.terms.partner, id}] = &contract;

  Settlement settlement;
  std::map<PartnerId, PartnerSums> sums;
  for (const auto& [key, contract] : sorted) {
    sums[key.first];
    GUILDER_RETURN_IF_ERROR(AddLines(*contract, input.currency_exponent, settlement.lines));
  }
  std::map<PartnerId, PartnerTerms> brought;
  for (const PartnerTerms& partner : input.partners) brought[partner.partner] = partner;
  for (const Line& line : settlement.lines) {
    PartnerSums& partner = sums[line.partner];
    partner.amount[static_cast<int>(line.leg)].Add(line.amount);
    partner.tax[static_cast<int>(line.leg)].Add(line.tax);
    AddEntries(line, settlement.entries);
  }
  GUILDER_RETURN_IF_ERROR(AddDeposits(input, contracts, brought, settlement.entries));
  for (const auto& [key, contract] : sorted) {
    GUILDER_RETURN_IF_ERROR(AddRelease(*contract, input.currency_exponent, settlement.entries));
  }
  Sum<MinorUnits> nets;
  for (const auto& [partner, partner_sums] : sums) {
    GUILDER_ASSIGN_OR_RETURN(const PartnerTotal total,
                             Total(partner, partner_sums, brought[partner]));
    GUILDER_RETURN_IF_ERROR(AddSetOff(total, settlement.entries));
    nets.Add(total.net);
    const MinorUnits owed = total.net + total.carried_in - total.carried_out;
    if (owed > MinorUnits()) {
      settlement.obligations.push_back({partner, Direction::kPartnerIsPaid, owed});
    } else if (owed < MinorUnits()) {
      settlement.obligations.push_back({partner, Direction::kPartnerPays, -owed});
    }
    settlement.partners.push_back(total);
  }
  GUILDER_ASSIGN_OR_RETURN(settlement.operator_net, OperatorNet(settlement.entries));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits sum_of_nets, nets.Get());
  if (settlement.operator_net != sum_of_nets) {
    return absl::InternalError("the operator's net is not the sum of its partners' nets");
  }
  return settlement;
}

}  // namespace guilder::netting
