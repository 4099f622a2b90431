#include <string>
#include <vector>

#include "services/settlement/domain/invoice.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/domain/settlement.h"
#include "tests/support/catch2.h"

namespace guilder::settlement {
namespace {

using ledger::Movement;
using netting::MoneyLeg;

constexpr PartnerId kGrocer{2};
constexpr PartnerId kFlorist{3};

Line ALine(int number, PartnerId partner, MoneyLeg leg, int64_t amount, int64_t tax) {
  Line line;
  line.number = number;
  line.bill.partner = partner;
  line.bill.contract = ContractId(number);
  line.bill.leg = leg;
  line.bill.points = Points(100);
  line.bill.amount = MinorUnits(amount);
  line.bill.tax_code = "S19";
  line.bill.tax = MinorUnits(tax);
  line.tax_ppm = 190'000;
  return line;
}

TEST_CASE("Names: a window's name is its start to the second, in one spelling",
          "[unit][settlement]") {
  const Timestamp start{1'767'225'600 * kMicrosPerSecond};

  CHECK(WindowName(start) == "windows/20260101T000000Z");
  CHECK(ParseWindowName("windows/20260101T000000Z") == start);
  for (const char* wrong :
       {"", "windows/", "20260101T000000Z", "windows/20260101T000000", "windows/20261301T000000Z",
        "windows/ 20260101T000000Z", "windows/20260101T000000Z/", "windows/2026011T000000Z"}) {
    CAPTURE(wrong);
    CHECK_FALSE(ParseWindowName(wrong));
  }
}

TEST_CASE("Names: a settlement's name is its number, in one spelling", "[unit][settlement]") {
  CHECK(SettlementName(SettlementId(12)) == "settlements/12");
  CHECK(ParseSettlementName("settlements/12") == SettlementId(12));
  for (const char* wrong :
       {"settlements/0", "settlements/-1", "settlements/012", "settlements/99999999999", "12"}) {
    CAPTURE(wrong);
    CHECK_FALSE(ParseSettlementName(wrong));
  }
}

TEST_CASE("Invoices: a partner gets one of each kind, with all of its lines",
          "[unit][settlement]") {
  const std::vector<Line> lines = {ALine(1, kGrocer, MoneyLeg::kIssuance, 100, 19),
                                   ALine(2, kGrocer, MoneyLeg::kReimbursement, 80, 15),
                                   ALine(3, kGrocer, MoneyLeg::kFee, 10, 2),
                                   ALine(4, kFlorist, MoneyLeg::kIssuance, -50, -10)};

  const std::vector<InvoiceDraft> drafts = DraftInvoices(lines);

  REQUIRE(drafts.size() == 3);
  CHECK(drafts[0].kind == InvoiceKind::kInvoice);
  CHECK(drafts[0].partner == kGrocer);
  CHECK(drafts[0].lines == std::vector<int>{1, 3});
  CHECK(drafts[0].net == MinorUnits(110));
  CHECK(drafts[0].tax == MinorUnits(21));
  CHECK(drafts[1].partner == kFlorist);
  CHECK(drafts[1].net == MinorUnits(-50));
  CHECK(drafts[2].kind == InvoiceKind::kSelfBilled);
  CHECK(drafts[2].lines == std::vector<int>{2});
}

TEST_CASE("Invoices: a fee that comes to nothing is billed by none", "[unit][settlement]") {
  const std::vector<Line> lines = {ALine(1, kGrocer, MoneyLeg::kReimbursement, 80, 15),
                                   ALine(2, kGrocer, MoneyLeg::kFee, 0, 0)};

  const std::vector<InvoiceDraft> drafts = DraftInvoices(lines);

  REQUIRE(drafts.size() == 1);
  CHECK(drafts[0].kind == InvoiceKind::kSelfBilled);
}

TEST_CASE("Invoices: taxes add up by code and rate", "[unit][settlement]") {
  std::vector<Line> lines = {ALine(1, kGrocer, MoneyLeg::kIssuance, 100, 19),
                             ALine(2, kGrocer, MoneyLeg::kFee, 10, 2),
                             ALine(3, kGrocer, MoneyLeg::kFee, 10, 1)};
  lines[2].tax_ppm = 70'000;

  const std::vector<TaxSum> taxes = SumTaxes(lines);

  REQUIRE(taxes.size() == 2);
  CHECK(taxes[0].ppm == 70'000);
  CHECK(taxes[0].tax == MinorUnits(1));
  CHECK(taxes[1].base == MinorUnits(110));
  CHECK(taxes[1].tax == MinorUnits(21));
}

TEST_CASE("Invoices: lines say in words what they bill", "[unit][settlement]") {
  const Currency eur{'E', 'U', 'R'};
  netting::Terms terms;
  terms.rate_micros = 12'500;
  terms.fee_ppm = 25'000;
  terms.fee_micros_per_point = 500;

  CHECK(LineText(ALine(1, kGrocer, MoneyLeg::kIssuance, 0, 0), terms, eur) ==
        "100 points issued at 0.0125 EUR");
  CHECK(LineText(ALine(1, kGrocer, MoneyLeg::kReimbursement, 0, 0), terms, eur) ==
        "100 points redeemed at 0.0125 EUR");
  CHECK(LineText(ALine(1, kGrocer, MoneyLeg::kFee, 0, 0), terms, eur) ==
        "Fee of 2.5 % and 0.0005 EUR a point on 100 points issued");
  terms.kind = netting::ContractKind::kRedemption;
  CHECK(LineText(ALine(1, kGrocer, MoneyLeg::kFee, 0, 0), terms, eur) ==
        "Fee of 2.5 % and 0.0005 EUR a point on 100 points redeemed");
  CHECK(InvoiceNumber(InvoiceKind::kSelfBilled, 2026, 7) == "SB-2026-000007");
}

TEST_CASE("Compute: points are of the settlement, prices of all points so far",
          "[unit][settlement]") {
  Facts facts;
  netting::Terms& terms = facts.terms.emplace_back();
  terms.contract = ContractId(1);
  terms.partner = kGrocer;
  terms.rate_micros = 5'000;
  facts.moved = {{ContractId(1), Movement::kIssued, Points(3), Points(4)},
                 {ContractId(1), Movement::kActivated, Points(3), Points(4)},
                 {ContractId(1), Movement::kReversed, Points(1), Points(1)},
                 {ContractId(1), Movement::kExpired, Points(1), Points(1)}};
  facts.billed_before = {
      {ContractId(1), MoneyLeg::kIssuance, Points(1), MinorUnits(1), MinorUnits(0)}};

  const absl::StatusOr<Computation> computation = Compute(facts);

  REQUIRE(computation.ok());
  REQUIRE(computation->lines.size() == 1);
  CHECK(computation->lines[0].bill.points == Points(2));
  CHECK(computation->lines[0].bill.cumulative_points == Points(3));
  // 1.5 rounds to 2, of which 1 was billed.
  CHECK(computation->lines[0].bill.amount == MinorUnits(1));
  REQUIRE(computation->nets.size() == 1);
  CHECK(computation->nets[0].issued == Points(3));
  CHECK(computation->nets[0].reversed == Points(1));
  CHECK(computation->nets[0].net == MinorUnits(-1));
}

}  // namespace
}  // namespace guilder::settlement
