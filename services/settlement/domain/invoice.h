// Invoices: what the operator bills a partner, what it bills itself in the partner's name, and what
// is given back of either.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/types.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::settlement {

// kInvoice bills issuance and fees, kSelfBilled reimbursements; kCreditNote gives back what one of
// them billed. In the order of their numbers' letters. Names are those of settlement.invoices.kind.
enum class InvoiceKind { kCreditNote, kInvoice, kSelfBilled };
std::string_view InvoiceKindName(InvoiceKind kind);
std::optional<InvoiceKind> InvoiceKindFromName(std::string_view name);

// "CN-2026-000001", "INV-2026-000001", "SB-2026-000001". Numbers of a kind and year have no gaps.
std::string InvoiceNumber(InvoiceKind kind, int year, int number);

// Which of the two documents bills the leg, and so what a credit note of it credits.
InvoiceKind KindOf(netting::MoneyLeg leg);
// Whether the line gives back what was billed before.
bool IsCredit(const Line& line);

// An invoice before it has a number. The sums of a credit note are what is credited.
struct InvoiceDraft {
  InvoiceKind kind = InvoiceKind::kInvoice;
  PartnerId partner;
  std::vector<int> lines;  // Numbers of the settlement's lines.
  MinorUnits net;
  MinorUnits tax;
  std::string credited;  // Of a credit note: the number of the invoice that it credits.
};

// Every line is on one document, but for fees of nothing: what is given back on a credit note,
// everything else on an invoice. `credited` has, by line, the invoices that credits are for; a
// partner gets one credit note for each. By kind, then partner, then credited invoice.
std::vector<InvoiceDraft> DraftInvoices(const std::vector<Line>& lines,
                                        const std::map<int, std::string>& credited);

// What the lines of one invoice come to under one tax code and rate.
struct TaxSum {
  std::string code;
  int64_t ppm = 0;
  MinorUnits base;
  MinorUnits tax;
  int lines = 0;
};

// By code and rate; what is not taxed has neither, and is left out where it is nothing. The bases
// add up to the lines.
std::vector<TaxSum> SumTaxes(const std::vector<Line>& lines);

// The price of a point that a line states, in micro-units of the major currency. Nothing for points
// that were paid for in advance.
int64_t RateOf(const Line& line, const netting::Terms& terms);

// The parts of a fee, whose line is one of `lines`: those of its settlement and partner.
netting::FeeParts FeePartsOf(const Line& fee, const std::vector<Line>& lines,
                             const netting::Terms& terms, int currency_exponent);

// A line of an invoice in words: "12345 points issued at 0.01 EUR", "12345 points issued, PREPAID",
// "Fee of 2.5 % (1.80 EUR) on 9000 points redeemed". `lines` are those of its settlement and
// partner.
std::string LineText(const Line& line, const std::vector<Line>& lines, const netting::Terms& terms,
                     const Currency& currency, int currency_exponent);

// How the amount and the tax of a line follow from all that was billed so far, where they are not
// simply its points at the rate and the tax on the amount: they are rounded once over all
// settlements, and a line bills the difference. Empty otherwise.
std::string RoundingText(const Line& line, const netting::Terms& terms, const Currency& currency,
                         int currency_exponent);

// "19 %".
std::string PercentText(int64_t ppm);

}  // namespace guilder::settlement
