#include "libs/netting/sums.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"

namespace guilder::netting {
namespace {

bool Bills(ContractKind kind, MoneyLeg leg) {
  if (leg == MoneyLeg::kFee) return true;
  return (kind == ContractKind::kRedemption) == (leg == MoneyLeg::kReimbursement);
}

absl::Status CheckTerms(const Terms& terms) {
  if (!terms.contract || !terms.partner) {
    return Refuse(Reason::kRequestMalformed, "terms without a contract or partner");
  }
  const std::string name = absl::StrCat("contract ", terms.contract.value());
  if (terms.rate_micros < 0 || terms.fee_ppm < 0 || terms.fee_micros_per_point < 0 ||
      terms.tax.ppm < 0 || terms.fee_tax.ppm < 0 || terms.fee_per_window < MinorUnits() ||
      terms.windows < 0 || terms.reserve_ppm < 0 || terms.breakage_ppm < 0) {
    return Refuse(Reason::kRequestMalformed, name + " has a negative rate");
  }
  if ((terms.tax.ppm > 0 && terms.tax.code.empty()) ||
      (terms.fee_tax.ppm > 0 && terms.fee_tax.code.empty())) {
    return Refuse(Reason::kRequestMalformed, name + " has a tax without a code");
  }
  return absl::OkStatus();
}

absl::Status UnknownContract(ContractId contract) {
  return Refuse(Reason::kContractNotFound,
                absl::StrCat("no terms for contract ", contract.value()));
}

void AddBillable(const Terms& terms, const Movements& moved, Sum<Points>& billable) {
  if (terms.kind == ContractKind::kRedemption) {
    billable.Add(moved.redeemed);
    billable.Subtract(moved.refunded);
    return;
  }
  if (terms.billed_at == BilledAt::kPosting) {
    billable.Add(moved.issued);
    billable.Subtract(moved.reversed_pending);
  } else {
    billable.Add(moved.activated);
  }
  billable.Subtract(moved.reversed);
}

}  // namespace

absl::StatusOr<int64_t> Narrow(Wide value) {
  // Symmetric, so that every result can be negated.
  if (value > INT64_MAX || value < -INT64_MAX) return Refuse(Reason::kAmountOutOfRange);
  return static_cast<int64_t>(value);
}

absl::StatusOr<int64_t> MultiplyDivide(int64_t a, int64_t b, int64_t divisor) {
  // The product of two 64-bit factors always fits 128 bits.
  const Wide product = Wide{a} * b;
  const Wide rest = product % divisor;
  Wide quotient = product / divisor;
  if (2 * (rest < 0 ? -rest : rest) >= divisor) quotient += product < 0 ? -1 : 1;
  return Narrow(quotient);
}

bool IsPaidByRedemption(const Terms& terms) {
  return terms.funding == Funding::kAtRedemption || terms.funding == Funding::kHybrid;
}

absl::StatusOr<Points> Outstanding(const Contract& contract) {
  GUILDER_ASSIGN_OR_RETURN(const Points billable, contract.billable.Get());
  GUILDER_ASSIGN_OR_RETURN(const Points redeemed, contract.redeemed.Get());
  GUILDER_ASSIGN_OR_RETURN(const Points expired, contract.expired.Get());
  Sum<Points> outstanding;
  outstanding.Add(billable);
  outstanding.Subtract(redeemed);
  outstanding.Subtract(expired);
  return outstanding.Get();
}

absl::StatusOr<Points> Payable(const Contract& contract) {
  if (!IsPaidByRedemption(contract.terms)) return contract.billable.Get();
  GUILDER_ASSIGN_OR_RETURN(const Points redeemed, contract.redeemed.Get());
  if (!contract.terms.outstanding_due) return redeemed;
  GUILDER_ASSIGN_OR_RETURN(const Points outstanding, Outstanding(contract));
  Sum<Points> due;
  due.Add(redeemed);
  due.Add(std::max(outstanding, Points()));
  GUILDER_ASSIGN_OR_RETURN(const Points so_far, due.Get());
  // What expires after it was paid for is not given back to an issuer that has left.
  const auto before = contract.before.find(MoneyLeg::kIssuance);
  if (before == contract.before.end()) return so_far;
  GUILDER_ASSIGN_OR_RETURN(const Points paid, before->second.points.Get());
  return std::max(so_far, paid);
}

absl::StatusOr<Contracts> Gather(const Input& input) {
  if (input.currency_exponent < 0 || input.currency_exponent > 6) {
    return Refuse(Reason::kRequestMalformed, "the currency's exponent is not 0 to 6");
  }
  Contracts contracts;
  for (const Terms& terms : input.terms) {
    GUILDER_RETURN_IF_ERROR(CheckTerms(terms));
    Contract contract;
    contract.terms = terms;
    if (!contracts.try_emplace(terms.contract, std::move(contract)).second) {
      return Refuse(Reason::kRequestMalformed,
                    absl::StrCat("terms of contract ", terms.contract.value(), " given twice"));
    }
  }
  for (const Movements& moved : input.movements) {
    const auto found = contracts.find(moved.contract);
    if (found == contracts.end()) return UnknownContract(moved.contract);
    AddBillable(found->second.terms, moved, found->second.billable);
    found->second.redeemed.Add(moved.lots_redeemed);
    found->second.expired.Add(moved.lots_expired);
  }
  for (const Released& released : input.released_before) {
    const auto found = contracts.find(released.contract);
    if (found == contracts.end()) return UnknownContract(released.contract);
    found->second.revenue_before.Add(released.revenue);
    found->second.breakage_before.Add(released.breakage);
    found->second.consumed_before.Add(released.consumed);
  }
  for (const PointBlock& block : input.point_blocks) {
    const auto found = contracts.find(block.contract);
    if (found == contracts.end()) return UnknownContract(block.contract);
    if (found->second.terms.funding != Funding::kPrepaid) {
      return Refuse(Reason::kRequestMalformed,
                    absl::StrCat("contract ", block.contract.value(), " is not paid in advance"));
    }
    found->second.bought.Add(block.points);
  }
  for (const Billed& billed : input.billed_before) {
    const auto found = contracts.find(billed.contract);
    if (found == contracts.end()) return UnknownContract(billed.contract);
    if (!Bills(found->second.terms.kind, billed.leg)) {
      return Refuse(Reason::kRequestMalformed,
                    absl::StrCat("contract ", billed.contract.value(), " does not bill that leg"));
    }
    BilledSums& before = found->second.before[billed.leg];
    before.points.Add(billed.points);
    before.amount.Add(billed.amount);
    before.tax.Add(billed.tax);
  }
  return contracts;
}

absl::StatusOr<MinorUnits> PriceOfPoints(Points points, int64_t rate_micros,
                                         int currency_exponent) {
  int64_t divisor = kMillion;
  for (int i = 0; i < currency_exponent; ++i) divisor /= 10;
  GUILDER_ASSIGN_OR_RETURN(const int64_t amount,
                           MultiplyDivide(points.value(), rate_micros, divisor));
  return MinorUnits(amount);
}

absl::StatusOr<MinorUnits> ShareOfAmount(MinorUnits amount, int64_t ppm) {
  GUILDER_ASSIGN_OR_RETURN(const int64_t share, MultiplyDivide(amount.value(), ppm, kMillion));
  return MinorUnits(share);
}

}  // namespace guilder::netting
