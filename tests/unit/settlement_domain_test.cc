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
                                   ALine(3, kGrocer, MoneyLeg::kFee, 10, 2)};

  const std::vector<InvoiceDraft> drafts = DraftInvoices(lines, {});

  REQUIRE(drafts.size() == 2);
  CHECK(drafts[0].kind == InvoiceKind::kInvoice);
  CHECK(drafts[0].partner == kGrocer);
  CHECK(drafts[0].lines == std::vector<int>{1, 3});
  CHECK(drafts[0].net == MinorUnits(110));
  CHECK(drafts[0].tax == MinorUnits(21));
  CHECK(drafts[1].kind == InvoiceKind::kSelfBilled);
  CHECK(drafts[1].lines == std::vector<int>{2});
}

TEST_CASE("Invoices: what is given back is on a credit note for the invoice that billed it",
          "[unit][settlement][inv-84]") {
  const std::vector<Line> lines = {ALine(1, kGrocer, MoneyLeg::kIssuance, -50, -10),
                                   ALine(2, kGrocer, MoneyLeg::kFee, 30, 6),
                                   ALine(3, kGrocer, MoneyLeg::kReserve, -7, 0),
                                   ALine(4, kGrocer, MoneyLeg::kReimbursement, -8, 0),
                                   ALine(5, kFlorist, MoneyLeg::kIssuance, -1, 0)};

  const std::vector<InvoiceDraft> drafts =
      DraftInvoices(lines, {{1, "INV-2026-000001"}, {3, "INV-2026-000001"}, {4, "SB-2026-000001"}});

  REQUIRE(drafts.size() == 4);
  CHECK(drafts[0].kind == InvoiceKind::kCreditNote);
  CHECK(drafts[0].credited == "INV-2026-000001");
  CHECK(drafts[0].lines == std::vector<int>{1, 3});
  CHECK(drafts[0].net == MinorUnits(57));
  CHECK(drafts[0].tax == MinorUnits(10));
  CHECK(drafts[1].credited == "SB-2026-000001");
  CHECK(drafts[1].net == MinorUnits(8));
  // Nothing billed it, so that there is nothing to name.
  CHECK(drafts[2].partner == kFlorist);
  CHECK(drafts[2].kind == InvoiceKind::kCreditNote);
  CHECK(drafts[2].credited.empty());
  CHECK(drafts[3].kind == InvoiceKind::kInvoice);
  CHECK(drafts[3].lines == std::vector<int>{2});
}

TEST_CASE("Invoices: a fee that comes to nothing is billed by none", "[unit][settlement]") {
  const std::vector<Line> lines = {ALine(1, kGrocer, MoneyLeg::kReimbursement, 80, 15),
                                   ALine(2, kGrocer, MoneyLeg::kFee, 0, 0)};

  const std::vector<InvoiceDraft> drafts = DraftInvoices(lines, {});

  REQUIRE(drafts.size() == 1);
  CHECK(drafts[0].kind == InvoiceKind::kSelfBilled);
}

TEST_CASE("Invoices: taxes add up by code and rate, and what is not taxed is said",
          "[unit][settlement]") {
  std::vector<Line> lines = {
      ALine(1, kGrocer, MoneyLeg::kIssuance, 100, 19), ALine(2, kGrocer, MoneyLeg::kFee, 10, 2),
      ALine(3, kGrocer, MoneyLeg::kFee, 10, 1), ALine(4, kGrocer, MoneyLeg::kReserve, 5, 0)};
  lines[2].tax_ppm = 70'000;
  lines[3].tax_ppm = 0;
  lines[3].bill.tax_code = "";

  const std::vector<TaxSum> taxes = SumTaxes(lines);

  REQUIRE(taxes.size() == 3);
  CHECK(taxes[0].code.empty());
  CHECK(taxes[0].base == MinorUnits(5));
  CHECK(taxes[1].ppm == 70'000);
  CHECK(taxes[1].tax == MinorUnits(1));
  CHECK(taxes[2].base == MinorUnits(110));
  CHECK(taxes[2].tax == MinorUnits(21));
}

TEST_CASE("Invoices: lines say in words what they bill", "[unit][settlement]") {
  const Currency eur{'E', 'U', 'R'};
  netting::Terms terms;
  terms.rate_micros = 12'500;
  terms.fee_ppm = 25'000;
  terms.fee_micros_per_point = 500;
  const auto text = [&](MoneyLeg leg, int64_t amount) {
    std::vector<Line> lines = {ALine(1, kGrocer, leg, amount, 0)};
    if (leg == MoneyLeg::kFee) {
      // Of 50 points and 0.62 EUR in all, 49 points and 0.61 EUR were billed before.
      lines[0].bill.points = Points(1);
      lines[0].bill.cumulative_points = Points(50);
      lines.push_back(ALine(2, kGrocer, MoneyLeg::kIssuance, 1, 0));
      lines[1].bill.contract = lines[0].bill.contract;
      lines[1].bill.cumulative_amount = MinorUnits(62);
    }
    return LineText(lines[0], lines, terms, eur, 2);
  };

  CHECK(text(MoneyLeg::kIssuance, 0) == "100 points issued at 0.0125 EUR");
  CHECK(text(MoneyLeg::kReimbursement, 0) == "100 points redeemed at 0.0125 EUR");
  // In cents: round(1.55) − round(1.525), and round(2.5) − round(2.45).
  CHECK(text(MoneyLeg::kFee, 1) ==
        "Fee of 2.5 % (0.00 EUR) and 0.0005 EUR a point (0.01 EUR) on 1 points issued");
  terms.kind = netting::ContractKind::kRedemption;
  terms.fee_ppm = 0;
  terms.fee_micros_per_point = 0;
  terms.fee_per_window = MinorUnits(500);
  CHECK(text(MoneyLeg::kFee, 15'500) ==
        "Fee of 5.00 EUR for each of 31 windows (155.00 EUR) on 1 points redeemed");
  CHECK(InvoiceNumber(InvoiceKind::kSelfBilled, 2026, 7) == "SB-2026-000007");
}

TEST_CASE("Invoices: what is rounded over all settlements shows its arithmetic",
          "[unit][settlement]") {
  const Currency eur{'E', 'U', 'R'};
  netting::Terms terms;
  terms.rate_micros = 10'000;
  Line line = ALine(1, kGrocer, MoneyLeg::kIssuance, 100, 19);
  line.tax_ppm = 190'000;
  line.bill.cumulative_points = Points(1'234);
  line.bill.cumulative_amount = MinorUnits(1'234);
  line.bill.cumulative_tax = MinorUnits(234);
  CHECK(RoundingText(line, terms, eur, 2).empty());

  line.bill.points = Points(3);
  line.bill.amount = MinorUnits(3);
  line.bill.tax = MinorUnits(0);
  CHECK(RoundingText(line, terms, eur, 2) ==
        "19 % of 12.34 EUR billed so far: 2.34 EUR, of it 2.34 EUR before");
  line.bill.amount = MinorUnits(2);
  CHECK(RoundingText(line, terms, eur, 2) ==
        "All 1234 points so far come to 12.34 EUR, of it 12.32 EUR before");
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
