// Invoices: what the operator bills a partner, and what it bills itself in the partner's name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/types.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::settlement {

// kInvoice bills issuance and fees, kSelfBilled reimbursements. Names are those of
// settlement.invoices.kind.
enum class InvoiceKind { kInvoice, kSelfBilled };
std::string_view InvoiceKindName(InvoiceKind kind);
std::optional<InvoiceKind> InvoiceKindFromName(std::string_view name);

// "INV-2026-000001", "SB-2026-000001". Numbers of a kind and year have no gaps.
std::string InvoiceNumber(InvoiceKind kind, int year, int number);

// An invoice before it has a number. Negative sums are a credit.
struct InvoiceDraft {
  InvoiceKind kind = InvoiceKind::kInvoice;
  PartnerId partner;
  std::vector<int> lines;  // Numbers of the settlement's lines.
  MinorUnits net;
  MinorUnits tax;
};

// Every line is on one invoice, but for fees of nothing. By kind, then partner.
std::vector<InvoiceDraft> DraftInvoices(const std::vector<Line>& lines);

// What the lines of one invoice come to under one tax code and rate.
struct TaxSum {
  std::string code;
  int64_t ppm = 0;
  MinorUnits base;
  MinorUnits tax;
};

// By code and rate. Lines without a tax code are left out.
std::vector<TaxSum> SumTaxes(const std::vector<Line>& lines);

// The price of a point that a line states, in micro-units of the major currency. Nothing for points
// that were paid for in advance.
int64_t RateOf(const Line& line, const netting::Terms& terms);

// A line of an invoice in words: "12345 points issued at 0.01 EUR", "12345 points issued, PREPAID".
std::string LineText(const Line& line, const netting::Terms& terms, const Currency& currency);

}  // namespace guilder::settlement
