#include "services/settlement/rpc/invoice_proto.h"

#include <utility>

#include "libs/base/text.h"
#include "libs/rpc/proto_time.h"
#include "services/settlement/domain/names.h"

namespace guilder::settlement {
namespace {

v1::InvoiceKind ToProto(InvoiceKind kind) {
  switch (kind) {
    case InvoiceKind::kCreditNote:
      return v1::INVOICE_KIND_CREDIT_NOTE;
    case InvoiceKind::kInvoice:
      return v1::INVOICE_KIND_INVOICE;
    case InvoiceKind::kSelfBilled:
      return v1::INVOICE_KIND_SELF_BILLED;
  }
  return v1::INVOICE_KIND_UNSPECIFIED;
}

v1::InvoiceParty ToProto(const InvoiceParty& party) {
  v1::InvoiceParty out;
  if (!party.slug.empty()) out.set_partner(PartnerName(party.slug));
  out.set_legal_name(party.name);
  out.set_registration_number(party.registration_number);
  out.set_tax_id(party.tax_id);
  return out;
}

v1::InvoiceLine ToProto(const InvoiceDocumentLine& line, SettlementId settlement) {
  const netting::Line& bill = line.line.bill;
  v1::InvoiceLine out;
  out.set_number(line.number);
  out.set_settlement_line(LineName(settlement, line.line.number));
  out.set_text(line.text);
  out.set_points(bill.points.value());
  out.set_rate_micros(line.rate_micros);
  out.set_amount_minor_units(bill.amount.value());
  out.set_tax_code(bill.tax_code);
  out.set_tax_rate_ppm(static_cast<int32_t>(line.line.tax_ppm));
  out.set_tax_minor_units(bill.tax.value());
  out.set_rounding_text(line.rounding);
  if (line.fee) *out.mutable_fee_parts() = settlement::ToProto(*line.fee);
  return out;
}

}  // namespace

InvoiceDocument LoadDocument(postgres::Transaction& transaction, const Programme& programme,
                             Invoice invoice) {
  const Directory directory = LoadDirectory(transaction, {invoice.partner});
  const int exponent = programme.ExponentOf(invoice.currency);
  return MakeInvoiceDocument(std::move(invoice), exponent, programme.time_zone,
                             [&](ContractId contract) -> const netting::Terms& {
                               return directory.contracts.at(contract).terms;
                             });
}

v1::FeeParts ToProto(const netting::FeeParts& parts) {
  v1::FeeParts out;
  out.set_per_point_minor_units(parts.by_points.value());
  out.set_percentage_minor_units(parts.by_amount.value());
  out.set_fixed_minor_units(parts.by_windows.value());
  out.set_windows(static_cast<int32_t>(parts.windows));
  return out;
}

v1::Invoice ToProto(const InvoiceDocument& document) {
  const Invoice& invoice = document.invoice;
  v1::Invoice out;
  out.set_name(InvoiceName(invoice.number));
  out.set_kind(ToProto(invoice.kind));
  out.set_partner(PartnerName(invoice.partner_party.slug));
  out.set_settlement(SettlementName(invoice.settlement));
  *out.mutable_issue_time() = rpc::ToProto(invoice.issued_at);
  out.set_currency_code(FormatCurrency(invoice.currency));
  for (const InvoiceDocumentLine& line : document.lines) {
    *out.add_lines() = ToProto(line, invoice.settlement);
  }
  for (const InvoiceDocumentTax& tax : document.taxes) {
    v1::InvoiceTax* const added = out.add_taxes();
    added->set_code(tax.sum.code);
    added->set_rate_ppm(static_cast<int32_t>(tax.sum.ppm));
    added->set_base_minor_units(tax.sum.base.value());
    added->set_tax_minor_units(tax.sum.tax.value());
    added->set_text(tax.text);
  }
  out.set_net_minor_units(invoice.net.value());
  out.set_tax_minor_units(invoice.tax.value());
  out.set_gross_minor_units((invoice.net + invoice.tax).value());
  out.set_payment_reference(document.payment_reference);
  if (!invoice.credited.empty()) out.set_credited_invoice(InvoiceName(invoice.credited));
  *out.mutable_seller() = ToProto(document.seller);
  *out.mutable_buyer() = ToProto(document.buyer);
  *out.mutable_period_start_time() = rpc::ToProto(invoice.start);
  *out.mutable_period_end_time() = rpc::ToProto(invoice.end);
  if (invoice.payment) *out.mutable_due_time() = rpc::ToProto(invoice.payment->due_at);
  out.set_payment_terms(document.terms);
  return out;
}

}  // namespace guilder::settlement
