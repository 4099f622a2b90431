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
  std::map<MoneyLeg, BilledSums> before;
};

using Contracts = std::map<ContractId, Contract>;

bool Bills(ContractKind kind, MoneyLeg leg) {
  return (kind == ContractKind::kIssuance) == (leg == MoneyLeg::kIssuance);
}

absl::Status CheckTerms(const Terms& terms) {
  if (!terms.contract || !terms.partner) {
    return Refuse(Reason::kRequestMalformed, "terms without a contract or partner");
  }
  const std::string name = absl::StrCat("contract ", terms.contract.value());
  if (terms.rate_micros < 0 || terms.fee_ppm < 0 || terms.fee_micros_per_point < 0 ||
      terms.tax.ppm < 0 || terms.fee_tax.ppm < 0) {
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
    if (!contracts.try_emplace(terms.contract, Contract{terms, {}, {}}).second) {
      return Refuse(Reason::kRequestMalformed,
                    absl::StrCat("terms of contract ", terms.contract.value(), " given twice"));
    }
  }
  for (const Movements& moved : input.movements) {
    const auto found = contracts.find(moved.contract);
    if (found == contracts.end()) return UnknownContract(moved.contract);
    AddBillable(found->second.terms, moved, found->second.billable);
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

absl::Status AddLines(const Contract& contract, int exponent, std::vector<Line>& lines) {
  const Terms& terms = contract.terms;
  GUILDER_ASSIGN_OR_RETURN(const Points points, contract.billable.Get());
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits amount,
                           PriceOfPoints(points, terms.prepaid ? 0 : terms.rate_micros, exponent));
  if (terms.kind == ContractKind::kIssuance) {
    return AddLine(contract, MoneyLeg::kIssuance, points, amount, terms.tax, lines);
  }
  GUILDER_RETURN_IF_ERROR(
      AddLine(contract, MoneyLeg::kReimbursement, points, amount, terms.tax, lines));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits by_point,
                           PriceOfPoints(points, terms.fee_micros_per_point, exponent));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits by_amount, ShareOfAmount(amount, terms.fee_ppm));
  Sum<MinorUnits> fee;
  fee.Add(by_point);
  fee.Add(by_amount);
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits fee_amount, fee.Get());
  return AddLine(contract, MoneyLeg::kFee, points, fee_amount, terms.fee_tax, lines);
}

// The sums behind a PartnerTotal, and the balances that its entries leave.
struct PartnerSums {
  Sum<MinorUnits> amount[3];  // By MoneyLeg.
  Sum<MinorUnits> tax[3];
};

absl::StatusOr<PartnerTotal> Total(PartnerId partner, const PartnerSums& sums) {
  PartnerTotal total;
  total.partner = partner;
  MinorUnits* const amounts[] = {&total.issuance, &total.reimbursement, &total.fee};
  MinorUnits* const taxes[] = {&total.issuance_tax, &total.reimbursement_tax, &total.fee_tax};
  Sum<MinorUnits> net;
  for (const MoneyLeg leg : {MoneyLeg::kIssuance, MoneyLeg::kReimbursement, MoneyLeg::kFee}) {
    const int i = static_cast<int>(leg);
    GUILDER_ASSIGN_OR_RETURN(*amounts[i], sums.amount[i].Get());
    GUILDER_ASSIGN_OR_RETURN(*taxes[i], sums.tax[i].Get());
    if (leg == MoneyLeg::kReimbursement) {
      net.Add(*amounts[i]);
      net.Add(*taxes[i]);
    } else {
      net.Subtract(*amounts[i]);
      net.Subtract(*taxes[i]);
    }
  }
  GUILDER_ASSIGN_OR_RETURN(total.net, net.Get());
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

// An invoice line: what the partner owes is its receivable, what it is owed its payable.
void AddEntries(const Line& line, std::vector<MoneyEntry>& entries) {
  const MoneyAccount tax{AccountKind::kTax, {}, line.tax_code};
  if (line.leg == MoneyLeg::kReimbursement) {
    const MoneyAccount payable{AccountKind::kPartnerPayable, line.partner, {}};
    const MoneyAccount liability{AccountKind::kPointsLiability, {}, {}};
    AddEntry({liability, payable, line.amount, line.partner, line.contract,
              EntryCause::kReimbursement, false},
             entries);
    AddEntry(
        {tax, payable, line.tax, line.partner, line.contract, EntryCause::kReimbursement, true},
        entries);
    return;
  }
  const bool is_fee = line.leg == MoneyLeg::kFee;
  const EntryCause cause = is_fee ? EntryCause::kFee : EntryCause::kIssuance;
  const MoneyAccount receivable{AccountKind::kPartnerReceivable, line.partner, {}};
  const MoneyAccount income{is_fee ? AccountKind::kFees : AccountKind::kPointsLiability, {}, {}};
  AddEntry({receivable, income, line.amount, line.partner, line.contract, cause, false}, entries);
  AddEntry({receivable, tax, line.tax, line.partner, line.contract, cause, true}, entries);
}

// Sets the smaller side off against the other, so that only the obligation stays open.
absl::Status AddSetOff(const PartnerTotal& total, std::vector<MoneyEntry>& entries) {
  Sum<MinorUnits> side;
  if (total.net >= MinorUnits()) {
    for (MinorUnits part : {total.issuance, total.issuance_tax, total.fee, total.fee_tax}) {
      side.Add(part);
    }
  } else {
    side.Add(total.reimbursement);
    side.Add(total.reimbursement_tax);
  }
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits amount, side.Get());
  AddEntry({{AccountKind::kPartnerPayable, total.partner, {}},
            {AccountKind::kPartnerReceivable, total.partner, {}},
            amount,
            total.partner,
            {},
            EntryCause::kSetOff,
            false},
           entries);
  return absl::OkStatus();
}

// What the programme's own accounts were debited on balance: what it pays to its partners.
absl::StatusOr<MinorUnits> OperatorNet(const std::vector<MoneyEntry>& entries) {
  const auto is_programme = [](const MoneyAccount& account) { return !account.partner; };
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
  for (const Line& line : settlement.lines) {
    PartnerSums& partner = sums[line.partner];
    partner.amount[static_cast<int>(line.leg)].Add(line.amount);
    partner.tax[static_cast<int>(line.leg)].Add(line.tax);
    AddEntries(line, settlement.entries);
  }
  Sum<MinorUnits> nets;
  for (const auto& [partner, partner_sums] : sums) {
    GUILDER_ASSIGN_OR_RETURN(const PartnerTotal total, Total(partner, partner_sums));
    GUILDER_RETURN_IF_ERROR(AddSetOff(total, settlement.entries));
    nets.Add(total.net);
    if (total.net > MinorUnits()) {
      settlement.obligations.push_back({partner, Direction::kPartnerIsPaid, total.net});
    } else if (total.net < MinorUnits()) {
      settlement.obligations.push_back({partner, Direction::kPartnerPays, -total.net});
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
