// An invoice, self-billed invoice or credit note as it is shown: its face. Pure.
//
// What it says was decided when it was issued and never changes: parties, period and due date are
// kept with it, lines and contract versions do not change.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "services/settlement/domain/invoice.h"
#include "services/settlement/domain/settlement.h"

namespace guilder::settlement {

// As it was when the document was issued.
struct InvoiceParty {
  std::string slug;  // Empty for the operator of a programme without an operator-partner.
  std::string name;
  std::string registration_number;
  std::string tax_id;
};

// What is to be paid after all documents of the settlement were set off.
struct InvoicePayment {
  bool partner_is_paid = false;
  MinorUnits amount;
  Timestamp due_at;
};

// An issued document.
struct Invoice {
  std::string number;
  InvoiceKind kind = InvoiceKind::kInvoice;
  PartnerId partner;
  SettlementId settlement;  // Whose lines it bills or credits.
  Currency currency{};
  Timestamp issued_at;
  MinorUnits net;  // Of a credit note: what is credited.
  MinorUnits tax;
  // [start, end) of the settlement.
  Timestamp start;
  Timestamp end;
  InvoiceParty partner_party;
  InvoiceParty operator_party;
  // Nothing where nothing was left to pay, and for what disputes credit.
  std::optional<InvoicePayment> payment;
  std::string credited;  // Of a credit note: the number of the invoice that it credits.
  // Of a credit note that credits a part of one line, as in "disputes/3": why, and that line's
  // place on the credited invoice.
  std::string credited_for;
  int credited_place = 0;
  std::vector<Line> lines;  // Of the settlement, in order; of a credit note as they were settled.
  // All of the partner's in that settlement, from which fees follow.
  std::vector<Line> settled;
};

struct InvoiceDocumentLine {
  int number = 0;
  Line line;  // Of a credit note turned round: what is credited is above zero.
  int64_t rate_micros = 0;
  std::string text;
  std::string rounding;  // RoundingText.
  std::optional<netting::FeeParts> fee;
};

struct InvoiceDocumentTax {
  TaxSum sum;
  std::string text;  // "19 % of 12.34 EUR"
};

// What its face says.
struct InvoiceDocument {
  Invoice invoice;
  int currency_exponent = 2;
  absl::TimeZone time_zone;
  InvoiceParty seller;
  InvoiceParty buyer;
  std::string payment_reference;  // Empty where nothing is to be paid.
  std::string terms;
  std::vector<InvoiceDocumentLine> lines;
  std::vector<InvoiceDocumentTax> taxes;
};

// `terms_of` has the terms of all of its lines.
InvoiceDocument MakeInvoiceDocument(Invoice invoice, int currency_exponent,
                                    const absl::TimeZone& time_zone,
                                    absl::FunctionRef<const netting::Terms&(ContractId)> terms_of);

// One page that prints as it is.
std::string InvoiceHtml(const InvoiceDocument& document);

}  // namespace guilder::settlement
