#include "libs/netting/entries.h"

#include <algorithm>
#include <utility>

#include "libs/base/status_macros.h"

namespace guilder::netting {
namespace {

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

// Moves the price of what was issued under a version that is funded by blocks from the issuer's
// deposit to the liability, as if it had been billed. What that comes to so far is given back.
absl::StatusOr<MinorUnits> AddConsumption(const Contract& contract, int exponent,
                                          std::vector<MoneyEntry>& entries) {
  const Terms& terms = contract.terms;
  GUILDER_ASSIGN_OR_RETURN(const Points issued, contract.billable.Get());
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits price,
                           PriceOfPoints(issued, terms.rate_micros, exponent));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits now, Difference(price, contract.consumed_before));
  AddEntry({{AccountKind::kPrepaidDeposit, terms.partner, {}},
            Programme(AccountKind::kPointsLiability),
            now,
            terms.partner,
            terms.contract,
            EntryCause::kConsumption,
            false},
           entries);
  return now;
}

// What the first `points` of the blocks were sold for, and what was kept of blocks that ended.
absl::StatusOr<MinorUnits> CostOf(Points points, const std::vector<PointBlock>& blocks,
                                  const Contracts& contracts, int exponent) {
  // Points of each rate in all, so that rounding does not depend on how they are cut into blocks.
  std::map<int64_t, Sum<Points>> by_rate;
  for (const PointBlock& block : blocks) {
    const Points used = std::clamp(points, Points(), block.points - block.kept);
    Sum<Points>& of_rate = by_rate[contracts.at(block.contract).terms.rate_micros];
    of_rate.Add(used);
    of_rate.Add(block.kept);
    points -= used;
  }
  Sum<MinorUnits> cost;
  for (const auto& [rate, used] : by_rate) {
    GUILDER_ASSIGN_OR_RETURN(const Points total, used.Get());
    GUILDER_ASSIGN_OR_RETURN(const MinorUnits price, PriceOfPoints(total, rate, exponent));
    cost.Add(price);
  }
  return cost.Get();
}

// What a partner has of versions that are funded by blocks.
struct Prepaid {
  std::vector<const Contract*> versions;
  std::vector<PointBlock> blocks;
};

// Takes out of a partner's deposit what its points cost it. Blocks are used in their order, each at
// what it was sold for; where the version that issued them has another rate by now, the difference
// is revenue, or less of it, and so is what was kept of blocks that ended. So the deposit is what
// unused points of open blocks were sold for.
absl::Status AddDeposit(const PartnerTerms& partner, const Prepaid& prepaid,
                        const Contracts& contracts, int exponent,
                        std::vector<MoneyEntry>& entries) {
  Sum<Points> issued;
  // The deposit as it is after sales and consumption, less as it should be.
  Sum<MinorUnits> surplus;
  surplus.Add(partner.deposit);
  for (const Contract* version : prepaid.versions) {
    GUILDER_ASSIGN_OR_RETURN(const Points points, version->billable.Get());
    issued.Add(points);
    if (const auto sold = version->before.find(MoneyLeg::kPointBlock);
        sold != version->before.end()) {
      GUILDER_ASSIGN_OR_RETURN(const MinorUnits before, sold->second.amount.Get());
      surplus.Subtract(before);
    }
    GUILDER_ASSIGN_OR_RETURN(const MinorUnits consumed,
                             AddConsumption(*version, exponent, entries));
    surplus.Subtract(consumed);
  }
  GUILDER_ASSIGN_OR_RETURN(const Points used, issued.Get());
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits cost,
                           CostOf(used, prepaid.blocks, contracts, exponent));
  surplus.Add(cost);
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits difference, surplus.Get());
  AddEntry({{AccountKind::kPrepaidDeposit, partner.partner, {}},
            Programme(AccountKind::kIssuanceRevenue),
            difference,
            partner.partner,
            {},
            EntryCause::kConsumption,
            false},
           entries);
  return absl::OkStatus();
}

// Of the points that were paid for: what nobody has spent yet, and what expired.
struct OpenPoints {
  Points outstanding;
  Points expired;
};

absl::StatusOr<OpenPoints> PaidAndOpen(const Contract& contract, Points billed) {
  OpenPoints open;
  const bool by_redemption = IsPaidByRedemption(contract.terms);
  if (by_redemption && !contract.terms.outstanding_due) return open;
  GUILDER_ASSIGN_OR_RETURN(open.outstanding, Outstanding(contract));
  if (!by_redemption) {
    GUILDER_ASSIGN_OR_RETURN(open.expired, contract.expired.Get());
    return open;
  }
  // What had expired before it became due was not paid for.
  open.outstanding = std::max(open.outstanding, Points());
  GUILDER_ASSIGN_OR_RETURN(const Points redeemed, contract.redeemed.Get());
  Sum<Points> rest;
  rest.Add(billed);
  rest.Subtract(redeemed);
  rest.Subtract(open.outstanding);
  GUILDER_ASSIGN_OR_RETURN(open.expired, rest.Get());
  return open;
}

}  // namespace

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
    case MoneyLeg::kPointBlock:
      add(receivable, {AccountKind::kPrepaidDeposit, line.partner, {}}, line.amount,
          EntryCause::kPointBlock, false);
      add(receivable, tax, line.tax, EntryCause::kPointBlock, true);
      break;
  }
}

absl::Status AddDeposits(const Input& input, const Contracts& contracts,
                         const std::map<PartnerId, PartnerTerms>& brought,
                         std::vector<MoneyEntry>& entries) {
  std::map<PartnerId, Prepaid> prepaid;
  for (const auto& [id, contract] : contracts) {
    if (contract.terms.funding == Funding::kPrepaid) {
      prepaid[contract.terms.partner].versions.push_back(&contract);
    }
  }
  for (const PointBlock& block : input.point_blocks) {
    prepaid[contracts.at(block.contract).terms.partner].blocks.push_back(block);
  }
  for (const auto& [partner, of_partner] : prepaid) {
    PartnerTerms terms;
    if (const auto found = brought.find(partner); found != brought.end()) terms = found->second;
    terms.partner = partner;
    GUILDER_RETURN_IF_ERROR(
        AddDeposit(terms, of_partner, contracts, input.currency_exponent, entries));
  }
  return absl::OkStatus();
}

absl::Status AddRelease(const Contract& contract, int exponent, std::vector<MoneyEntry>& entries) {
  const Terms& terms = contract.terms;
  if (terms.kind != ContractKind::kIssuance) return absl::OkStatus();
  GUILDER_ASSIGN_OR_RETURN(const Points billed, Payable(contract));
  GUILDER_ASSIGN_OR_RETURN(const OpenPoints open, PaidAndOpen(contract, billed));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits price,
                           PriceOfPoints(billed, terms.rate_micros, exponent));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits deferred,
                           PriceOfPoints(open.outstanding, terms.rate_micros, exponent));
  GUILDER_ASSIGN_OR_RETURN(const MinorUnits breakage,
                           PriceOfPoints(open.expired, terms.rate_micros, exponent));
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

absl::Status AddSetOff(const PartnerTotal& total, std::vector<MoneyEntry>& entries) {
  Sum<MinorUnits> owed;
  Sum<MinorUnits> owes;
  for (MinorUnits part : {total.reimbursement, total.reimbursement_tax, total.breakage,
                          total.breakage_tax, total.carried_in}) {
    owed.Add(part);
  }
  for (MinorUnits part : {total.issuance, total.issuance_tax, total.fee, total.fee_tax,
                          total.reserve, total.point_blocks, total.point_blocks_tax}) {
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

}  // namespace guilder::netting
