#include "services/settlement/rpc/statement.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/rpc/names.h"
#include "libs/rpc/proto_time.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/rpc/settlement_proto.h"
#include "services/settlement/rpc/view.h"
#include "services/settlement/store/documents.h"
#include "services/settlement/store/obligations.h"

namespace guilder::settlement {
namespace {

void SetBalance(const StatementBalance& balance, v1::StatementBalance& out) {
  out.set_opening_minor_units(balance.opening.value());
  out.set_payments_minor_units(balance.payments.value());
  out.set_net_minor_units(balance.net.value());
  out.set_closing_minor_units(balance.closing.value());
}

}  // namespace

absl::StatusOr<v1::GetPartnerStatementResponse> LoadStatement(postgres::Transaction& transaction,
                                                              const rpc::Call& call,
                                                              SettlementId id,
                                                              const std::string& slug) {
  LockForReading(transaction);
  GUILDER_ASSIGN_OR_RETURN(Settlement settlement, FindSettlement(transaction, id));
  GUILDER_ASSIGN_OR_RETURN(const PartnerId partner, FindPartner(transaction, slug));
  GUILDER_RETURN_IF_ERROR(call.CheckActsFor(partner));
  const SettlementView view = LoadView(transaction, std::move(settlement), partner);

  v1::GetPartnerStatementResponse response;
  // A partner without a contract has no net in it: everything is zero.
  Net none;
  none.partner = partner;
  *response.mutable_net() = ToProto(view.nets.empty() ? none : view.nets.front(), view.directory);
  for (const Line& line : view.lines) *response.add_lines() = ToProto(id, line, view.directory);
  if (const auto obligation = FindObligation(transaction, id, partner)) {
    *response.mutable_obligation() = ToProto(*obligation, view.directory);
  }
  for (const Invoice& invoice : ReadInvoices(transaction, id, partner)) {
    *response.add_invoices() = ToProto(invoice, view.directory);
  }
  for (const CreditNote& note : ReadCreditNotes(transaction, id, partner)) {
    *response.add_invoices() = CreditNoteToProto(transaction, note);
  }
  if (view.settlement.state != State::kComputed) {
    SetBalance(ReadStatementBalance(transaction, view.settlement, partner),
               *response.mutable_balance());
  }
  return response;
}

absl::StatusOr<NamedLine> FindNamedLine(postgres::Transaction& transaction, const rpc::Call& call,
                                        const std::string& name) {
  const absl::Status none = Refuse(Reason::kNameNotFound, "no such line");
  const auto parts = rpc::ParseNumberedName("settlements/{}/lines/{}", name);
  if (!parts || (*parts)[0] > INT32_MAX) return none;
  absl::StatusOr<Settlement> settlement =
      FindSettlement(transaction, SettlementId(static_cast<int32_t>((*parts)[0])));
  if (!settlement.ok()) return none;
  for (Line& line : ReadLines(transaction, settlement->id)) {
    if (line.number != (*parts)[1]) continue;
    if (!call.CheckActsFor(line.bill.partner).ok()) return none;
    return NamedLine{*std::move(settlement), std::move(line)};
  }
  return none;
}

v1::Invoice CreditNoteToProto(postgres::Transaction& transaction, const CreditNote& note) {
  const Directory directory = LoadDirectory(transaction, {note.partner});
  v1::Invoice out;
  out.set_name(InvoiceName(note.number));
  out.set_kind(v1::INVOICE_KIND_CREDIT_NOTE);
  out.set_partner(PartnerName(directory.SlugOf(note.partner)));
  out.set_settlement(SettlementName(note.settlement));
  *out.mutable_issue_time() = rpc::ToProto(note.issued_at);
  out.set_credited_invoice(InvoiceName(note.invoice));
  out.set_net_minor_units(note.net.value());
  out.set_tax_minor_units(note.tax.value());
  out.set_gross_minor_units((note.net + note.tax).value());
  for (const Line& line : ReadLines(transaction, note.settlement, note.partner)) {
    if (line.number != note.line) continue;
    const absl::StatusOr<Settlement> settlement = FindSettlement(transaction, note.settlement);
    if (settlement.ok()) out.set_currency_code(FormatCurrency(settlement->currency));
    v1::InvoiceLine& credited = *out.add_lines();
    credited.set_settlement_line(LineName(note.settlement, note.line));
    credited.set_text(absl::StrCat("Credit for line ", note.line, " of invoice ", note.invoice));
    credited.set_amount_minor_units(note.net.value());
    credited.set_tax_code(line.bill.tax_code);
    if (line.bill.tax_code.empty()) continue;
    v1::InvoiceTax& tax = *out.add_taxes();
    tax.set_code(line.bill.tax_code);
    tax.set_rate_ppm(static_cast<int32_t>(line.tax_ppm));
    tax.set_base_minor_units(note.net.value());
    tax.set_tax_minor_units(note.tax.value());
  }
  return out;
}

}  // namespace guilder::settlement
