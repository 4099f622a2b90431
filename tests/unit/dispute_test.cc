#include "services/settlement/domain/dispute.h"

#include "libs/base/reason.h"
#include "tests/support/catch2.h"

namespace guilder::settlement {
namespace {

constexpr Timestamp kApproved{1'000 * kMicrosPerDay};

Line ALine(netting::MoneyLeg leg = netting::MoneyLeg::kIssuance) {
  Line line;
  line.number = 3;
  line.tax_ppm = 190'000;
  line.bill.partner = PartnerId(7);
  line.bill.leg = leg;
  line.bill.amount = MinorUnits(10'000);
  line.bill.tax = MinorUnits(1'900);
  line.bill.tax_code = "S19";
  return line;
}

Settlement ASettlement() {
  Settlement settlement;
  settlement.id = SettlementId(12);
  settlement.approved_at = kApproved;
  return settlement;
}

Timestamp After(int days) {
  return kApproved + Timestamp(days * kMicrosPerDay);
}

Dispute AnOpenDispute(int64_t amount = 0, const DisputePolicy& policy = {}) {
  Dispute asked;
  asked.amount = MinorUnits(amount);
  return Open(asked, ALine(), ASettlement(), policy, After(1)).value();
}

TEST_CASE("Open: a dispute is of a billed line, in time, and of no more than it bills",
          "[unit][settlement][inv-91]") {
  const DisputePolicy policy{.open_days = 10};
  const auto refusal = [&](int64_t amount, int64_t billed, int day, bool approved = true) {
    Dispute asked;
    asked.amount = MinorUnits(amount);
    Line line = ALine();
    line.bill.amount = MinorUnits(billed);
    Settlement settlement = ASettlement();
    if (!approved) settlement.approved_at.reset();
    return ReasonOf(Open(asked, line, settlement, policy, After(day)).status());
  };

  CHECK_FALSE(refusal(0, 100, 0).has_value());
  CHECK_FALSE(refusal(100, 100, 9).has_value());
  CHECK(ReasonOf(
            Open({}, ALine(netting::MoneyLeg::kReserve), ASettlement(), {}, After(1)).status()) ==
        Reason::kWrongState);
  CHECK(refusal(0, 100, 10) == Reason::kWrongState);
  CHECK(refusal(0, 100, 0, false) == Reason::kWrongState);
  CHECK(refusal(0, 0, 0) == Reason::kWrongState);
  CHECK(refusal(0, -100, 0) == Reason::kWrongState);
  CHECK(refusal(101, 100, 0) == Reason::kAmountOutOfRange);
  CHECK(refusal(-1, 100, 0) == Reason::kAmountOutOfRange);
}

TEST_CASE("Open: without an amount all of the line is disputed, by the policy of that moment",
          "[unit][settlement][inv-91]") {
  const Dispute dispute = AnOpenDispute(0, {.resolve_days = 5, .excluded = true});

  CHECK(dispute.amount == MinorUnits(10'000));
  CHECK(dispute.partner == PartnerId(7));
  CHECK(dispute.line == 3);
  CHECK(dispute.excluded);
  CHECK(dispute.deadline == After(6));
}

TEST_CASE("Decide: once, and for no more than was disputed", "[unit][settlement][inv-91]") {
  const Dispute open = AnOpenDispute(6'000);
  const auto upheld = [&](int64_t credited) {
    return Decide(open, DisputeState::kUpheld, MinorUnits(credited), "bert", After(2));
  };

  CHECK(upheld(0)->credited == MinorUnits(6'000));
  CHECK(upheld(1)->credited == MinorUnits(1));
  CHECK(ReasonOf(upheld(6'001).status()) == Reason::kAmountOutOfRange);
  CHECK(ReasonOf(upheld(-1).status()) == Reason::kAmountOutOfRange);
  const auto rejected = Decide(open, DisputeState::kRejected, {}, "bert", After(2));
  REQUIRE(rejected.ok());
  CHECK(rejected->credited == MinorUnits());
  CHECK(ReasonOf(Decide(*rejected, DisputeState::kUpheld, {}, "bert", After(3)).status()) ==
        Reason::kWrongState);
  CHECK(ReasonOf(Decide(open, DisputeState::kRejected, MinorUnits(1), "bert", After(2)).status()) ==
        Reason::kAmountOutOfRange);
}

TEST_CASE("AtDeadline: what nobody decided has its default outcome, from the deadline on",
          "[unit][settlement][inv-91]") {
  const Dispute rejecting = AnOpenDispute(0, {.resolve_days = 5});
  const Dispute upholding =
      AnOpenDispute(0, {.resolve_days = 5, .default_outcome = DisputeState::kUpheld});

  CHECK(AtDeadline(rejecting, After(6) - Timestamp(1)).state == DisputeState::kOpen);
  CHECK(AtDeadline(rejecting, After(6)).state == DisputeState::kRejected);
  CHECK(AtDeadline(upholding, After(100)).credited == MinorUnits(10'000));
  // However late somebody looks, it was decided at the deadline.
  CHECK(AtDeadline(upholding, After(100)).resolved_at == After(6));
}

TEST_CASE("CheckDisputePolicy: days and outcome are within reason", "[unit][settlement][inv-91]") {
  CHECK(CheckDisputePolicy({}).ok());
  CHECK_FALSE(CheckDisputePolicy({.open_days = 0}).ok());
  CHECK_FALSE(CheckDisputePolicy({.open_days = 401}).ok());
  CHECK_FALSE(CheckDisputePolicy({.resolve_days = 0}).ok());
  CHECK_FALSE(CheckDisputePolicy({.default_outcome = DisputeState::kOpen}).ok());
}

TEST_CASE("TaxOn: a part has its rate's tax, the whole exactly the line's",
          "[unit][settlement][inv-84]") {
  Line line = ALine();
  line.bill.tax = MinorUnits(1'901);  // Rounding over earlier settlements.

  CHECK(TaxOn(line, MinorUnits(10'000)) == MinorUnits(1'901));
  CHECK(TaxOn(line, MinorUnits(5'000)) == MinorUnits(950));
  CHECK(TaxOn(line, MinorUnits(3)) == MinorUnits(1));
  CHECK(TaxOn(line, MinorUnits(2)) == MinorUnits(0));
}

TEST_CASE("CreditEntries: the line is turned round, in favour of what is owed to the partner",
          "[unit][settlement][inv-91]") {
  using netting::AccountKind;
  Adjustment adjustment;
  adjustment.partner = PartnerId(7);
  adjustment.net = MinorUnits(100);
  adjustment.tax = MinorUnits(19);

  const auto issuance = CreditEntries(ALine(), adjustment);
  const auto fee = CreditEntries(ALine(netting::MoneyLeg::kFee), adjustment);
  adjustment.tax = MinorUnits();
  const auto untaxed = CreditEntries(ALine(netting::MoneyLeg::kReimbursement), adjustment);

  REQUIRE(issuance.size() == 2);
  CHECK(issuance[0].debit.kind == AccountKind::kIssuanceRevenue);
  CHECK(issuance[0].credit.kind == AccountKind::kPartnerPayable);
  CHECK(issuance[1].debit.kind == AccountKind::kTax);
  CHECK(issuance[1].debit.tax_code == "S19");
  CHECK(issuance[1].amount == MinorUnits(19));
  CHECK(fee[0].debit.kind == AccountKind::kFees);
  CHECK(untaxed.size() == 1);
  CHECK(untaxed[0].debit.kind == AccountKind::kRedemptionCost);
}

}  // namespace
}  // namespace guilder::settlement
