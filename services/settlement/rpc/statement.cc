#include "services/settlement/rpc/statement.h"

#include <utility>

#include "libs/base/status_macros.h"
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
  if (view.settlement.state != State::kComputed) {
    SetBalance(ReadStatementBalance(transaction, view.settlement, partner),
               *response.mutable_balance());
  }
  return response;
}

}  // namespace guilder::settlement
