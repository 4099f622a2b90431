#include "libs/netting/netting.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"

namespace guilder::netting {
namespace {

using Wide = __int128;

absl::StatusOr<int64_t> Narrow(Wide value) {
  // Symmetric, so that every result can be negated.
  if (value > INT64_MAX || value < -INT64_MAX) return Refuse(Reason::kAmountOutOfRange);
  return static_cast<int64_t>(value);
}

// a × b ÷ divisor, half away from zero. The product of two 64-bit factors always fits 128 bits.
absl::StatusOr<int64_t> MultiplyDivide(int64_t a, int64_t b, int64_t divisor) {
  const Wide product = Wide{a} * b;
  const Wide rest = product % divisor;
  Wide quotient = product / divisor;
  if (2 * (rest < 0 ? -rest : rest) >= divisor) quotient += product < 0 ? -1 : 1;
  return Narrow(quotient);
}

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
  Sum<Points> billable;
  Sum<Points> redeemed;  // Of its lots.
  Sum<Points> expired;   // Of its lots.
  std::map<MoneyLeg, BilledSums> before;
  Sum<MinorUnits> revenue_before;
  Sum<MinorUnits> breakage_before;
};

using Contracts = std::map<ContractId, Contract>;

bool Bills(ContractKind kind, MoneyLeg leg) {
  if (leg == MoneyLeg::kFee) return true;
  return (kind == ContractKind::kRedemption) == (leg == MoneyLeg::kReimbursement);
}

bool IsPaidByRedemption(const Terms& terms) {
  return terms.funding == Funding::kAtRedemption || terms.funding == Funding::kHybrid;
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

template <typename Quantity>
absl::StatusOr<Quantity> Difference(Quantity now, const Sum<Quantity>& before) {
  GUILDER_ASSIGN_OR_RETURN(const Quantity billed, before.Get());
  Sum<Quantity> rest;
  rest.Add(now);
  rest.Subtract(billed);
  return rest.Get();
}

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

// What is issued under the version and neither spent nor expired.
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

// The part of the price of outstanding points that their issuer has paid ahead. A member's debt
// needs none.
absl::Status AddReserve(const Contract& contract, int exponent, std::vector<Line>& lines) {
  GUILDER_ASSIGN_OR_RETURN(Points points, Outstanding(contract));
  if (points < Points()) points = Points();
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

absl::Status AddIssuanceLines(const Contract& contract, int exponent, std::vector<Line>& lines) {
  const Terms& terms = contract.terms;
  const bool by_redemption = IsPaidByRedemption(terms);
  GUILDER_ASSIGN_OR_RETURN(const Points points,
                           by_redemption ? contract.redeemed.Get() : contract.billable.Get());
  const int64_t rate = terms.funding == Funding::kPrepaid ? 0 : terms.rate_micros;
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits amount, PriceOfPoints(points, rate, exponent));
  GUILDER_RETURN_IF_ERROR(AddLine(contract, MoneyLeg::kIssuance, points, amount, terms.tax, lines));
  if (HasFee(terms)) GUILDER_RETURN_IF_ERROR(AddFee(contract, points, amount, exponent, lines));
  if (terms.funding == Funding::kHybrid) {
    GUILDER_RETURN_IF_ERROR(AddReserve(contract, exponent, lines));
  }
  if (terms.breakage_ppm == 0 || by_redemption) return absl::OkStatus();
  return AddBreakage(contract, exponent, lines);
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
  MinorUnits* const amounts[] = {&total.issuance, &total.reimbursement, &total.fee, &total.reserve,
                                 &total.breakage};
  MinorUnits* const taxes[] = {&total.issuance_tax, &total.reimbursement_tax, &total.fee_tax,
                               &no_tax, &total.breakage_tax};
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

// Adds an entry; a negative amount turns it round, zero leaves it out.
void AddEntry(MoneyEntry entry, std::vector<MoneyEntry>& entries) {
  if (entry.amount == MinorUnits()) return;
  if (entry.amount < MinorUnits()) {
    std::swap(entry.debit, entry.credit);
    entry.amount = -entry.amount;
  }
  entries.push_back(std::move(entry));
}

MoneyAccount Programme(AccountKind kind) {
  return {kind, {}, {}};
}

// What the partner owes is its receivable, what it is owed its payable.
void AddEntries(const Line& line, std::vector<MoneyEntry>& entries) {
  const MoneyAccount tax{AccountKind::kTax, {}, line.tax_code};
  const MoneyAccount receivable{AccountKind::kPartnerReceivable, line.partner, {}};
  const MoneyAccount payable{AccountKind::kPartnerPayable, line.partner, {}};
  const auto add = [&](const MoneyAccount& debit, const MoneyAccount& credit, MinorUnits amount,
                       EntryCause cause, bool is_tax) {
    AddEntry({debit, credit, amount, line.partner, line.contract, cause, is_tax}, entries);
  };
  switch (line.leg) {
    case MoneyLeg::kIssuance:
      add(receivable, Programme(AccountKind::kPointsLiability), line.amount, EntryCause::kIssuance,
          false);
      add(receivable, tax, line.tax, EntryCause::kIssuance, true);
      break;
    case MoneyLeg::kReimbursement:
      add(Programme(AccountKind::kRedemptionCost), payable, line.amount, EntryCause::kReimbursement,
          false);
      add(tax, payable, line.tax, EntryCause::kReimbursement, true);
      break;
    case MoneyLeg::kFee:
      add(receivable, Programme(AccountKind::kFees), line.amount, EntryCause::kFee, false);
      add(receivable, tax, line.tax, EntryCause::kFee, true);
      break;
    case MoneyLeg::kReserve:
      add(receivable, {AccountKind::kReserve, line.partner, {}}, line.amount, EntryCause::kReserve,
          false);
      break;
    case MoneyLeg::kBreakage:
      add(Programme(AccountKind::kBreakage), payable, line.amount, EntryCause::kBreakage, false);
      add(tax, payable, line.tax, EntryCause::kBreakage, true);
      break;
  }
}

// Lowers the liability to the price of what is outstanding. What expired is breakage, and the rest,
// which was spent, revenue.
absl::Status AddRelease(const Contract& contract, int exponent, std::vector<MoneyEntry>& entries) {
  const Terms& terms = contract.terms;
  if (terms.kind != ContractKind::kIssuance || terms.funding == Funding::kPrepaid) {
    return absl::OkStatus();
  }
  const bool by_redemption = IsPaidByRedemption(terms);
  GUILDER_ASSIGN_OR_RETURN(const Points billed,
                           by_redemption ? contract.redeemed.Get() : contract.billable.Get());
  GUILDER_ASSIGN_OR_RETURN(const Points outstanding, by_redemption
                                                         ? absl::StatusOr<Points>(Points())
                                                         : Outstanding(contract));
  GUILDER_ASSIGN_OR_RETURN(const Points expired, by_redemption ? absl::StatusOr<Points>(Points())
                                                               : contract.expired.Get());
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits price,
                           PriceOfPoints(billed, terms.rate_micros, exponent));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits deferred,
                           PriceOfPoints(outstanding, terms.rate_micros, exponent));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits breakage,
                           PriceOfPoints(expired, terms.rate_micros, exponent));
  Sum<MinorUnits> revenue;
  revenue.Add(price);
  revenue.Subtract(deferred);
  revenue.Subtract(breakage);
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits revenue_so_far, revenue.Get());
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits revenue_now,
                           Difference(revenue_so_far, contract.revenue_before));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits breakage_now,
                           Difference(breakage, contract.breakage_before));
  for (const auto& [kind, amount] : {std::pair(AccountKind::kIssuanceRevenue, revenue_now),
                                     std::pair(AccountKind::kBreakage, breakage_now)}) {
    AddEntry({Programme(AccountKind::kPointsLiability), Programme(kind), amount, terms.partner,
              terms.contract, EntryCause::kRelease, false},
             entries);
  }
  return absl::OkStatus();
}

// Sets the smaller side off against the other, so that only the obligation stays open, and what is
// carried forward.
absl::Status AddSetOff(const PartnerTotal& total, std::vector<MoneyEntry>& entries) {
  Sum<MinorUnits> owed;
  Sum<MinorUnits> owes;
  for (MinorUnits part : {total.reimbursement, total.reimbursement_tax, total.breakage,
                          total.breakage_tax, total.carried_in}) {
    owed.Add(part);
  }
  for (MinorUnits part :
       {total.issuance, total.issuance_tax, total.fee, total.fee_tax, total.reserve}) {
    owes.Add(part);
  }
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits owed_amount, owed.Get());
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits owes_amount, owes.Get());
  AddEntry({{AccountKind::kPartnerPayable, total.partner, {}},
            {AccountKind::kPartnerReceivable, total.partner, {}},
            owed_amount >= owes_amount ? owes_amount : owed_amount,
            total.partner,
            {},
            EntryCause::kSetOff,
            false},
           entries);
  return absl::OkStatus();
}

// What the accounts besides partners' receivables and payables were debited on balance: what it
// pays to its partners.
absl::StatusOr<MinorUnits> OperatorNet(const std::vector<MoneyEntry>& entries) {
  const auto is_programme = [](const MoneyAccount& account) {
    return account.kind != AccountKind::kPartnerReceivable &&
           account.kind != AccountKind::kPartnerPayable;
  };
  Sum<MinorUnits> net;
  for (const MoneyEntry& entry : entries) {
    if (is_programme(entry.debit)) net.Add(entry.amount);
    if (is_programme(entry.credit)) net.Subtract(entry.amount);
  }
  return net.Get();
}

}  // namespace

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
