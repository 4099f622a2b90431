#include "services/accrual/rpc/purchase_proto.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/ledger/core/record.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/proto_time.h"
#include "libs/rules/explain.h"
#include "libs/rules/reversal.h"
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

v1::Purchase ToProto(const Sale& sale, const std::vector<Return>& returns,
                     const std::string& slug) {
  const Purchase& purchase = sale.recorded.purchase;
  const PurchaseOutcome& outcome = sale.recorded.outcome;
  const std::vector<int64_t> returned = ReturnedQuantities(sale, returns);
  v1::Purchase out;
  out.set_name(ledger::RecordName(ledger::RecordKind::kPurchase, sale.book, sale.number));
  AddReceipt(purchase, slug, *out.mutable_receipt());
  out.set_member(absl::StrCat("members/", sale.account.value()));
  *out.mutable_occurred_at() = rpc::ToProto(purchase.occurred_at);
  out.set_currency_code(FormatCurrency(purchase.currency));
  Points reversed;
  for (size_t i = 0; i < purchase.lines.size(); ++i) {
    const PurchaseLine& line = purchase.lines[i];
    v1::PurchaseLine& to = *out.add_lines();
    to.set_line_id(line.line_id);
    to.set_sku(line.sku);
    to.set_quantity(line.quantity);
    to.set_amount_minor_units(line.amount.value());
    to.set_category(line.category);
    out.add_line_points(outcome.line_points[i].value());
    out.add_returned_quantities(returned[i]);
    reversed += rules::ReversalOfLine(outcome.line_points[i], line.quantity, 0, returned[i]);
  }
  out.set_points(outcome.points.value());
  out.set_points_reversed(reversed.value());
  *out.mutable_journal_receipt() =
      rpc::ToProto(ledger::JournalPlace{sale.book, sale.number, sale.posted_at, sale.leaf});
  return out;
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
  return out;
}

void AddExplanation(const Sale& sale, const ledger::Configuration& configuration,
                    const RuleBook& book, v1::ExplainPurchaseResponse& out) {
  const Purchase& purchase = sale.recorded.purchase;
  const PurchaseOutcome& outcome = sale.recorded.outcome;
  const ledger::Partner* partner = configuration.FindPartner(sale.partner);
  StoreId store;
  if (partner != nullptr) {
    const auto found = partner->stores.find(purchase.receipt.store);
    if (found != partner->stores.end()) store = found->second.id;
    for (const ledger::Contract& contract : partner->issuance) {
      if (contract.id != outcome.contract) continue;
      out.set_contract(absl::StrCat("partners/", partner->slug, "/contracts/", contract.number));
    }
  }
  const rules::CompiledRules* rules = book.Find(outcome.rule_set);
  rules::Award award;
  std::vector<std::string> texts(purchase.lines.size(), "No rules were in force.");
  award.lines.resize(purchase.lines.size());
  if (rules != nullptr) {
    out.set_rule_set(absl::StrCat("ruleSets/", outcome.rule_set));
    const rules::Basket basket = BasketOf(purchase, sale.partner, store);
    award = rules::Evaluate(rules->rule_set(), basket);
    texts = rules::Explain(*rules, basket, {}, award, purchase.currency,
                           configuration.programme().currency_exponent)
                .lines;
    if (award.total > outcome.points) {
      texts.assign(texts.size(),
                   "0 points: the partner's prepaid blocks did not cover the purchase");
    }
  }
  for (size_t i = 0; i < purchase.lines.size(); ++i) {
    v1::LineExplanation& line = *out.add_lines();
    line.set_line_id(purchase.lines[i].line_id);
    line.set_points(outcome.line_points[i].value());
    if (award.lines[i].rule) line.set_rule(rules->rule_set().rules[*award.lines[i].rule].id);
    line.set_text(texts[i]);
  }
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
