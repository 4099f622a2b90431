// What a partner may still owe, as what is granted of its credit limit.
#include "services/partner/domain/credit.h"

#include "libs/ledger/core/limit.h"
#include "tests/support/catch2.h"

namespace guilder::partner {
namespace {

// Millionths of a euro, of cents.
Points Micros(int64_t cents) {
  return Points(cents * 10'000);
}

TEST_CASE("Credit: without a limit nothing is limited", "[unit][partner][inv-87]") {
  ExposurePolicy policy;
  policy.collateral = MinorUnits(1'000);
  CHECK_FALSE(CreditToGrant(policy, {}));
}

TEST_CASE("Credit: what is granted is the limit less what is owed for other reasons than issuing",
          "[unit][partner][inv-87]") {
  ExposurePolicy policy;
  policy.credit_limit = MinorUnits(10'000);
  CreditFacts facts;
  CHECK(CreditToGrant(policy, facts) == Micros(10'000));

  // What was billed is in the invoice instead, with its tax, until that is paid.
  facts.billed_issuance = MinorUnits(500);
  facts.unpaid_invoices = MinorUnits(595);
  CHECK(CreditToGrant(policy, facts) == Micros(9'905));
  facts.unpaid_invoices = MinorUnits(0);
  CHECK(CreditToGrant(policy, facts) == Micros(10'500));

  // Points that expired are not paid for, where members' spending is.
  facts.expired_micros = 7;
  CHECK(CreditToGrant(policy, facts) == Micros(10'500) + Points(7));
  facts.unbilled_blocks_micros = 3;
  CHECK(CreditToGrant(policy, facts) == Micros(10'500) + Points(4));
  // Nor are those that were to be billed when they are activated, and never were.
  facts.lapsed_micros = 3;
  CHECK(CreditToGrant(policy, facts) == Micros(10'500) + Points(7));
  facts.lapsed_micros = 0;
  facts.owed_to_partner = MinorUnits(20);
  facts.unsettled_reimbursement_micros = 5;
  CHECK(CreditToGrant(policy, facts) == Micros(10'520) + Points(9));
  policy.collateral = MinorUnits(30);
  CHECK(CreditToGrant(policy, facts) == Micros(10'550) + Points(9));
  policy.no_issuance_ppm = 500'000;
  CHECK(CreditToGrant(policy, facts) == Micros(5'550) + Points(9));
}

TEST_CASE("Credit: of limit and cap the one that leaves less bounds what is issued",
          "[unit][partner][inv-87]") {
  ExposurePolicy policy;
  policy.credit_limit = MinorUnits(10'000);
  policy.net_debit_cap = MinorUnits(300);
  CreditFacts facts;
  CHECK(CreditToGrant(policy, facts) == Micros(300));
  // What is settled is not in the next settlement; what was put up is of no help there.
  facts.billed_issuance = MinorUnits(1'000);
  policy.collateral = MinorUnits(5);
  CHECK(CreditToGrant(policy, facts) == Micros(1'300));
  facts.unpaid_invoices = MinorUnits(10'000);
  CHECK(CreditToGrant(policy, facts) == Micros(1'005));
  facts.unpaid_invoices = MinorUnits(20'000);
  CHECK(CreditToGrant(policy, facts) == Points());

  policy.credit_limit = MinorUnits(0);
  CHECK(CreditToGrant(policy, facts) == Micros(1'300));
  facts.pays_at_redemption = true;
  CHECK_FALSE(CreditToGrant(policy, facts));
}

TEST_CASE("Credit: every currency is counted in millionths, and nothing overflows",
          "[unit][partner]") {
  ExposurePolicy policy;
  policy.credit_limit = MinorUnits(1'000);
  CreditFacts facts;
  facts.currency_exponent = 0;
  CHECK(CreditToGrant(policy, facts) == Points(1'000'000'000));
  facts.currency_exponent = 3;
  CHECK(CreditToGrant(policy, facts) == Points(1'000'000));
  policy.credit_limit = MinorUnits(INT64_MAX);
  policy.collateral = MinorUnits(INT64_MAX);
  policy.no_issuance_ppm = kMaxStagePpm;
  facts.currency_exponent = 0;
  CHECK(CreditToGrant(policy, facts) == ledger::kMaxGranted);
}

TEST_CASE("Credit: points are as many as it covers whole", "[unit][partner]") {
  CHECK(PointsOfCredit(Points(29'999), 10'000) == Points(2));
  CHECK(PointsOfCredit(Points(0), 10'000) == Points(0));
  CHECK_FALSE(PointsOfCredit(Points(29'999), 0));
}

TEST_CASE("Limits: what points are of a limit of money never overflows", "[unit][ledger]") {
  CHECK(ledger::InUnits(Points(-7), 10'000) == Points(-70'000));
  CHECK(ledger::InUnits(Points(INT64_MAX), INT64_MAX) == Points(INT64_MAX / 2));
  CHECK(ledger::InUnits(Points(-INT64_MAX), 3) == Points(-(INT64_MAX / 2)));
}

}  // namespace
}  // namespace guilder::partner
