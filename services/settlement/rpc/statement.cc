#include "services/settlement/rpc/statement.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/rpc/names.h"
#include "libs/rpc/proto_time.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/rpc/invoice_proto.h"
#include "services/settlement/rpc/settlement_proto.h"
#include "services/settlement/rpc/view.h"
#include "services/settlement/store/documents.h"
#include "services/settlement/store/obligations.h"

namespace guilder::settlement {
namespace {

void SetBalance(const StatementBalance& balance, v1::StatementBalance& out) {
  out.set_opening_minor_units(balance.opening.value());
  out.set_payments_minor_units(balance.payments.value());
  out.set_credits_minor_units(balance.credits.value());
  out.set_losses_minor_units(balance.losses.value());
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
  AddLines(id, view.lines, view.directory, view.currency_exponent, *response.mutable_lines());
  AddInvoicesOfLines(transaction, id, *response.mutable_lines());
  response.set_settlement(SettlementName(id));
  response.set_currency_code(FormatCurrency(view.settlement.currency));
  *response.mutable_start_time() = rpc::ToProto(view.settlement.start);
  *response.mutable_end_time() = rpc::ToProto(view.settlement.end);
  if (const auto obligation = FindObligation(transaction, id, partner)) {
    std::vector<PartnerId> partners = {partner};
    if (obligation->loss_owner) partners.push_back(obligation->loss_owner);
    *response.mutable_obligation() = ToProto(*obligation, LoadDirectory(transaction, partners));
  }
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  for (Invoice& invoice : ReadDocuments(transaction, view.settlement, partner)) {
    *response.add_invoices() = ToProto(LoadDocument(transaction, programme, std::move(invoice)));
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

void AddInvoicesOfLines(postgres::Transaction& transaction, SettlementId settlement,
                        google::protobuf::RepeatedPtrField<v1::SettlementLine>& lines) {
  const std::map<int, std::string> numbers = ReadInvoicesOfLines(transaction, settlement);
  for (v1::SettlementLine& line : lines) {
    const auto parts = rpc::ParseNumberedName("settlements/{}/lines/{}", line.name());
    const auto number = numbers.find(static_cast<int>((*parts)[1]));
    if (number != numbers.end()) line.set_invoice(InvoiceName(number->second));
  }
}

std::vector<Invoice> ReadDocuments(postgres::Transaction& transaction, const Settlement& settlement,
                                   PartnerId partner) {
  std::vector<Invoice> documents;
  if (settlement.state == State::kComputed) return documents;
  for (const std::string& number : ReadNotesSince(transaction, settlement, partner)) {
    if (auto note = FindInvoice(transaction, number)) documents.push_back(*std::move(note));
  }
  for (Invoice& invoice : ReadInvoices(transaction, settlement.id, partner)) {
    documents.push_back(std::move(invoice));
  }
  std::stable_sort(documents.begin(), documents.end(),
                   [](const Invoice& a, const Invoice& b) { return a.number < b.number; });
  return documents;
}

}  // namespace guilder::settlement
