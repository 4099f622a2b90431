#include "services/settlement/rpc/settlement_proto.h"

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/rpc/names.h"
#include "libs/rpc/proto_time.h"
#include "services/settlement/domain/invoice.h"
#include "services/settlement/domain/names.h"

namespace guilder::settlement {
namespace {

v1::WindowState ToProto(WindowState state) {
  switch (state) {
    case WindowState::kOpen:
      return v1::WINDOW_STATE_OPEN;
    case WindowState::kEnded:
      return v1::WINDOW_STATE_ENDED;
    case WindowState::kSealed:
      return v1::WINDOW_STATE_SEALED;
    case WindowState::kSettled:
      return v1::WINDOW_STATE_SETTLED;
  }
  return v1::WINDOW_STATE_UNSPECIFIED;
}

v1::SettlementState ToProto(State state) {
  switch (state) {
    case State::kComputed:
      return v1::SETTLEMENT_STATE_COMPUTED;
    case State::kApproved:
      return v1::SETTLEMENT_STATE_APPROVED;
    case State::kInstructed:
      return v1::SETTLEMENT_STATE_INSTRUCTED;
    case State::kSettled:
      return v1::SETTLEMENT_STATE_SETTLED;
  }
  return v1::SETTLEMENT_STATE_UNSPECIFIED;
}

v1::ObligationState ToProto(ObligationState state) {
  switch (state) {
    case ObligationState::kOpen:
      return v1::OBLIGATION_STATE_OPEN;
    case ObligationState::kInstructed:
      return v1::OBLIGATION_STATE_INSTRUCTED;
    case ObligationState::kPartlyPaid:
      return v1::OBLIGATION_STATE_PARTLY_PAID;
    case ObligationState::kPaid:
      return v1::OBLIGATION_STATE_PAID;
    case ObligationState::kOverdue:
      return v1::OBLIGATION_STATE_OVERDUE;
    case ObligationState::kDefaulted:
      return v1::OBLIGATION_STATE_DEFAULTED;
    case ObligationState::kWrittenOff:
      return v1::OBLIGATION_STATE_WRITTEN_OFF;
  }
  return v1::OBLIGATION_STATE_UNSPECIFIED;
}

v1::SettlementLeg ToProto(netting::MoneyLeg leg) {
  switch (leg) {
    case netting::MoneyLeg::kIssuance:
      return v1::SETTLEMENT_LEG_ISSUANCE;
    case netting::MoneyLeg::kReimbursement:
      return v1::SETTLEMENT_LEG_REIMBURSEMENT;
    case netting::MoneyLeg::kFee:
      return v1::SETTLEMENT_LEG_FEE;
    case netting::MoneyLeg::kReserve:
      return v1::SETTLEMENT_LEG_RESERVE;
    case netting::MoneyLeg::kBreakage:
      return v1::SETTLEMENT_LEG_BREAKAGE;
    case netting::MoneyLeg::kPointBlock:
      return v1::SETTLEMENT_LEG_POINT_BLOCK;
  }
  return v1::SETTLEMENT_LEG_UNSPECIFIED;
}

}  // namespace

v1::Window ToProto(const WindowFacts& window, const std::vector<BookHead>& heads) {
  v1::Window out;
  out.set_name(WindowName(window.window.start));
  *out.mutable_start_time() = rpc::ToProto(window.window.start);
  if (window.window.end != kNever) *out.mutable_end_time() = rpc::ToProto(window.window.end);
  out.set_state(ToProto(window.state));
  if (window.settlement) out.set_settlement(SettlementName(window.settlement));
  for (const BookHead& head : heads) {
    v1::BookHead* added = out.add_heads();
    added->set_book(head.book.value());
    added->set_last_number(head.last_number.value());
    added->set_root_hash(std::string(AsView(head.root)));
  }
  return out;
}

std::string Etag(const Settlement& settlement) {
  return ToHex(settlement.digest);
}

v1::SettlementLine ToProto(SettlementId settlement, const Line& line, const Directory& directory) {
  const std::string& slug = directory.SlugOf(line.bill.partner);
  v1::SettlementLine out;
  out.set_name(LineName(settlement, line.number));
  out.set_partner(PartnerName(slug));
  out.set_contract(ContractName(slug, directory.contracts.at(line.bill.contract).number));
  out.set_leg(ToProto(line.bill.leg));
  out.set_points(line.bill.points.value());
  out.set_cumulative_points(line.bill.cumulative_points.value());
  out.set_amount_minor_units(line.bill.amount.value());
  out.set_tax_code(line.bill.tax_code);
  out.set_tax_minor_units(line.bill.tax.value());
  out.set_rate_micros(RateOf(line, directory.contracts.at(line.bill.contract).terms));
  out.set_tax_rate_ppm(static_cast<int32_t>(line.tax_ppm));
  return out;
}

v1::PartnerNet ToProto(const Net& net, const Directory& directory) {
  v1::PartnerNet out;
  out.set_partner(PartnerName(directory.SlugOf(net.partner)));
  out.set_points_issued(net.issued.value());
  out.set_points_reversed(net.reversed.value());
  out.set_points_redeemed(net.redeemed.value());
  out.set_issuance_minor_units(net.issuance.value());
  out.set_reimbursement_minor_units(net.reimbursement.value());
  out.set_fee_minor_units(net.fee.value());
  out.set_tax_minor_units(net.tax.value());
  out.set_net_minor_units(net.net.value());
  out.set_reserve_minor_units(net.reserve.value());
  out.set_breakage_minor_units(net.breakage.value());
  out.set_point_blocks_minor_units(net.point_blocks.value());
  out.set_carried_in_minor_units(net.carried_in.value());
  out.set_carried_out_minor_units(net.carried_out.value());
  return out;
}

v1::Settlement ToProto(const SettlementView& view) {
  const Settlement& settlement = view.settlement;
  v1::Settlement out;
  out.set_name(SettlementName(settlement.id));
  out.set_state(ToProto(settlement.state));
  out.set_currency_code(FormatCurrency(settlement.currency));
  *out.mutable_start_time() = rpc::ToProto(settlement.start);
  *out.mutable_end_time() = rpc::ToProto(settlement.end);
  for (const Timestamp start : view.window_starts) out.add_windows(WindowName(start));
  for (const Line& line : view.lines) {
    *out.add_lines() = ToProto(settlement.id, line, view.directory);
  }
  MinorUnits operator_net;
  for (const Net& net : view.nets) {
    *out.add_nets() = ToProto(net, view.directory);
    operator_net += net.net;
  }
  out.set_operator_net_minor_units(operator_net.value());
  out.set_computed_by(settlement.computed_by);
  out.set_approved_by(settlement.approved_by);
  out.set_etag(Etag(settlement));
  return out;
}

v1::Obligation ToProto(const StoredObligation& obligation, const Directory& directory) {
  const std::string& slug = directory.SlugOf(obligation.debt.partner);
  v1::Obligation out;
  out.set_name(ObligationName(obligation.settlement, slug));
  out.set_partner(PartnerName(slug));
  out.set_partner_is_paid(obligation.debt.direction == netting::Direction::kPartnerIsPaid);
  out.mutable_amount()->set_currency_code(FormatCurrency(obligation.currency));
  out.mutable_amount()->set_minor_units(obligation.debt.amount.value());
  out.set_state(ToProto(obligation.status.state));
  const std::string currency = FormatCurrency(obligation.currency);
  out.mutable_paid()->set_currency_code(currency);
  out.mutable_paid()->set_minor_units(obligation.status.paid.value());
  out.mutable_written_off()->set_currency_code(currency);
  out.mutable_written_off()->set_minor_units(obligation.status.written_off.value());
  *out.mutable_due_time() = rpc::ToProto(obligation.status.due_at);
  if (obligation.loss_owner) {
    out.set_loss_owner(PartnerName(directory.SlugOf(obligation.loss_owner)));
  }
  out.set_end_to_end_id(obligation.end_to_end_id);
  return out;
}

v1::Invoice ToProto(const Invoice& invoice, const Directory& directory) {
  v1::Invoice out;
  out.set_name(InvoiceName(invoice.number));
  out.set_kind(invoice.kind == InvoiceKind::kInvoice ? v1::INVOICE_KIND_INVOICE
                                                     : v1::INVOICE_KIND_SELF_BILLED);
  out.set_partner(PartnerName(directory.SlugOf(invoice.partner)));
  out.set_settlement(SettlementName(invoice.settlement));
  *out.mutable_issue_time() = rpc::ToProto(invoice.issued_at);
  out.set_currency_code(FormatCurrency(invoice.currency));
  for (const Line& line : invoice.lines) {
    const netting::Terms& terms = directory.contracts.at(line.bill.contract).terms;
    v1::InvoiceLine* added = out.add_lines();
    added->set_settlement_line(LineName(invoice.settlement, line.number));
    added->set_text(LineText(line, terms, invoice.currency));
    added->set_points(line.bill.points.value());
    added->set_rate_micros(RateOf(line, terms));
    added->set_amount_minor_units(line.bill.amount.value());
    added->set_tax_code(line.bill.tax_code);
  }
  for (const TaxSum& sum : SumTaxes(invoice.lines)) {
    v1::InvoiceTax* added = out.add_taxes();
    added->set_code(sum.code);
    added->set_rate_ppm(static_cast<int32_t>(sum.ppm));
    added->set_base_minor_units(sum.base.value());
    added->set_tax_minor_units(sum.tax.value());
  }
  out.set_net_minor_units(invoice.net.value());
  out.set_tax_minor_units(invoice.tax.value());
  out.set_gross_minor_units((invoice.net + invoice.tax).value());
  out.set_payment_reference(EndToEndId(invoice.settlement, invoice.partner));
  return out;
}

std::optional<NamedObligation> ParseObligationName(const std::string& name) {
  const auto parts = rpc::ParseName("settlements/{}/obligations/{}", name);
  if (!parts) return std::nullopt;
  const std::optional<SettlementId> id =
      ParseSettlementName(absl::StrCat("settlements/", (*parts)[0]));
  if (!id) return std::nullopt;
  return NamedObligation{*id, (*parts)[1]};
}

}  // namespace guilder::settlement
