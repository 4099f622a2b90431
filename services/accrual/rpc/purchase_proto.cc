#include "services/accrual/rpc/purchase_proto.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/ledger/core/record.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/proto_time.h"
#include "services/accrual/rpc/commands.h"
#include "services/accrual/store/sales.h"

namespace guilder::accrual {
namespace {

void AddReceipt(const Purchase& purchase, const std::string& slug, v1::ReceiptKey& out) {
  const ReceiptKey& receipt = purchase.receipt;
  out.set_store(absl::StrCat("partners/", slug, "/stores/", receipt.store));
  out.set_terminal(receipt.terminal);
  if (receipt.order_id.empty()) {
    out.set_receipt_number(receipt.receipt_number);
  } else {
    out.set_order_id(receipt.order_id);
  }
  out.set_business_date(receipt.business_date);
}

}  // namespace

v1::Purchase ToProto(const Sale& sale, const TakenBack& taken, const std::string& slug) {
  const Purchase& purchase = sale.recorded.purchase;
  const PurchaseOutcome& outcome = sale.recorded.outcome;
  v1::Purchase out;
  out.set_name(ledger::RecordName(ledger::RecordKind::kPurchase, sale.book, sale.number));
  AddReceipt(purchase, slug, *out.mutable_receipt());
  *out.mutable_occurred_at() = rpc::ToProto(purchase.occurred_at);
  out.set_currency_code(FormatCurrency(purchase.currency));
  for (size_t i = 0; i < purchase.lines.size(); ++i) {
    const PurchaseLine& line = purchase.lines[i];
    v1::PurchaseLine& to = *out.add_lines();
    to.set_line_id(line.line_id);
    to.set_sku(line.sku);
    to.set_quantity(line.quantity);
    to.set_amount_minor_units(line.amount.value());
    to.set_category(line.category);
    to.set_tax_minor_units(line.tax.value());
    out.add_line_points(outcome.line_points[i].value());
    out.add_returned_quantities(taken.quantities[i]);
  }
  out.set_clock_offset_seconds(purchase.clock_offset_us / kMicrosPerSecond);
  out.set_points(outcome.points.value());
  out.set_points_reversed(taken.points().value());
  *out.mutable_journal_receipt() =
      rpc::ToProto(ledger::JournalPlace{sale.book, sale.number, sale.posted_at, sale.leaf});
  return out;
}

std::string PartnerName(PartnerId partner, const ledger::Configuration& configuration) {
  const ledger::Partner* const found = configuration.FindPartner(partner);
  return found == nullptr ? "" : absl::StrCat("partners/", found->slug);
}

void FillSettlement(const Sale& sale, const ReturnOutcome& outcome,
                    const ledger::Configuration& configuration, v1::ReturnSettlement& out) {
  out.set_restored_points(outcome.restored.value());
  out.set_amount_minor_units(outcome.amount.value());
  for (size_t i = 0; i < outcome.refunds.size(); ++i) {
    v1::Tender& refund = *out.add_refunds();
    refund.set_kind(static_cast<v1::TenderKind>(sale.recorded.purchase.tenders[i].kind));
    refund.set_amount_minor_units(outcome.refunds[i].value());
  }
  out.set_deducted_points(outcome.deducted.value());
  out.set_deduction_minor_units(outcome.deduction.value());
  out.set_written_off_points(outcome.written_off.value());
  if (outcome.payer) out.set_payer(PartnerName(outcome.payer, configuration));
  out.set_pending_points(outcome.pending.value());
}

std::string EtagOf(const ParkedItem& item) {
  if (item.proposed_purchase.empty()) return "";
  Encoder out;
  out.Raw(AsView(item.request_id))
      .Bytes(item.request)
      .Bytes(item.proposed_purchase)
      .Bytes(item.proposed_by)
      .Bytes(item.resolution);
  return ToHex(AsView(Sha256({out.str()})));
}

v1::ParkedItem ToProto(const ParkedItem& item) {
  v1::ParkedItem out;
  out.set_name(ParkedItemName(item.partner, item.request_id));
  out.set_partner(absl::StrCat("partners/", item.partner_slug));
  out.set_reason(item.reason);
  *out.mutable_create_time() = rpc::ToProto(item.created_at);
  out.set_refers_to(item.refers_to);
  out.set_content(item.content);
  out.set_resolved(item.resolved);
  out.set_resolution(item.resolution);
  out.set_proposed_purchase(item.proposed_purchase);
  out.set_proposed_by(item.proposed_by);
  out.set_etag(EtagOf(item));
  return out;
}

std::string DescribePurchase(const Purchase& purchase) {
  const ReceiptKey& receipt = purchase.receipt;
  std::string text =
      absl::StrCat("store ", receipt.store, receipt.terminal.empty() ? "" : ", terminal ",
                   receipt.terminal, receipt.order_id.empty() ? ", receipt " : ", order ",
                   receipt.order_id.empty() ? receipt.receipt_number : receipt.order_id, ", ",
                   FormatTimestamp(purchase.occurred_at), ", card ", purchase.card.value(), ":");
  for (const PurchaseLine& line : purchase.lines) {
    absl::StrAppend(&text, " ", line.line_id, "=", line.sku, "×", line.quantity, " ",
                    line.amount.value(), ";");
  }
  return text;
}

}  // namespace guilder::accrual
