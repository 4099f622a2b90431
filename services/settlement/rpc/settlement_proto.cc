#include "services/settlement/rpc/settlement_proto.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "libs/base/text.h"
#include "libs/rpc/names.h"
#include "libs/rpc/proto_time.h"
#include "services/settlement/domain/invoice.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/rpc/invoice_proto.h"

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
    case WindowState::kComputed:
      return v1::WINDOW_STATE_COMPUTED;
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
  out.set_cumulative_amount_minor_units(line.bill.cumulative_amount.value());
  out.set_cumulative_tax_minor_units(line.bill.cumulative_tax.value());
  return out;
}

void AddLines(SettlementId settlement, const std::vector<Line>& lines, const Directory& directory,
              int currency_exponent,
              google::protobuf::RepeatedPtrField<v1::SettlementLine>& added) {
  // Lines are by partner, so those of one follow one another.
  for (auto line = lines.begin(); line != lines.end();) {
    const auto end = std::find_if(line, lines.end(), [&](const Line& other) {
      return other.bill.partner != line->bill.partner;
    });
    const std::vector<Line> of_partner(line, end);
    for (; line != end; ++line) {
      v1::SettlementLine& out = *added.Add();
      out = ToProto(settlement, *line, directory);
      if (line->bill.leg != netting::MoneyLeg::kFee) continue;
      *out.mutable_fee_parts() = ToProto(FeePartsOf(
          *line, of_partner, directory.contracts.at(line->bill.contract).terms, currency_exponent));
    }
  }
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
  out.set_due_minor_units((net.net + net.carried_in - net.carried_out).value());
  return out;
}

v1::Settlement ToProto(const Settlement& settlement) {
  v1::Settlement out;
  out.set_name(SettlementName(settlement.id));
  out.set_state(ToProto(settlement.state));
  out.set_currency_code(FormatCurrency(settlement.currency));
  *out.mutable_start_time() = rpc::ToProto(settlement.start);
  *out.mutable_end_time() = rpc::ToProto(settlement.end);
  out.set_computed_by(settlement.computed_by);
  out.set_approved_by(settlement.approved_by);
  out.set_etag(Etag(settlement));
  return out;
}

v1::Settlement ToProto(const SettlementView& view) {
  v1::Settlement out = ToProto(view.settlement);
  for (const Timestamp start : view.window_starts) out.add_windows(WindowName(start));
  out.set_window_count(static_cast<int32_t>(view.window_starts.size()));
  AddLines(view.settlement.id, view.lines, view.directory, view.currency_exponent,
           *out.mutable_lines());
  MinorUnits operator_net;
  MinorUnits due;
  for (const Net& net : view.nets) {
    *out.add_nets() = ToProto(net, view.directory);
    operator_net += net.net;
    due += net.net + net.carried_in - net.carried_out;
  }
  out.set_operator_net_minor_units(operator_net.value());
  out.set_due_minor_units(due.value());
  return out;
}

v1::Obligation ToProto(const StoredObligation& obligation, const Directory& directory) {
  const std::string& slug = directory.SlugOf(obligation.debt.partner);
  v1::Obligation out;
  out.set_name(ObligationName(obligation.settlement, slug));
  out.set_partner(PartnerName(slug));
  out.set_partner_is_paid(IsPayout(obligation));
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

std::optional<NamedObligation> ParseObligationName(const std::string& name) {
  const auto parts = rpc::ParseName("settlements/{}/obligations/{}", name);
  if (!parts) return std::nullopt;
  const std::optional<SettlementId> id =
      ParseSettlementName(absl::StrCat("settlements/", (*parts)[0]));
  if (!id) return std::nullopt;
  return NamedObligation{*id, (*parts)[1]};
}

}  // namespace guilder::settlement
