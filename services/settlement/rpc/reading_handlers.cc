#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

#include "libs/base/reason.h"
#include "libs/base/status_macros.h"
#include "libs/base/text.h"
#include "libs/postgres/connection.h"
#include "services/settlement/domain/names.h"
#include "services/settlement/rpc/invoice_proto.h"
#include "services/settlement/rpc/settlement_handlers.h"
#include "services/settlement/rpc/settlement_proto.h"
#include "services/settlement/rpc/statement.h"
#include "services/settlement/rpc/view.h"
#include "services/settlement/store/invoices.h"

namespace guilder::settlement {
namespace {

using postgres::Transaction;

// A place in the list of obligations: "12/7" is settlement 12, partner 7.
struct ObligationPosition {
  SettlementId settlement;
  PartnerId partner;
};

// Of what page_tokens_ gave back; the start for nothing.
ObligationPosition ParsePosition(const std::string& text) {
  ObligationPosition position;
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return position;
  position.settlement = SettlementId(
      static_cast<int32_t>(ParseInt(std::string_view(text).substr(0, slash)).value_or(0)));
  position.partner = PartnerId(
      static_cast<int32_t>(ParseInt(std::string_view(text).substr(slash + 1)).value_or(0)));
  return position;
}

struct ObligationPage {
  std::vector<StoredObligation> obligations;
  Directory directory;
};

ObligationPage LoadObligations(Transaction& transaction, std::optional<SettlementId> parent,
                               ObligationPosition after, int limit) {
  ObligationPage page;
  page.obligations =
      settlement::ListObligations(transaction, parent, after.settlement, after.partner, limit);
  std::vector<PartnerId> partners;
  for (const StoredObligation& obligation : page.obligations) {
    partners.push_back(obligation.debt.partner);
    if (obligation.loss_owner) partners.push_back(obligation.loss_owner);
  }
  page.directory = LoadDirectory(transaction, partners);
  return page;
}

absl::StatusOr<v1::Invoice> LoadInvoice(Transaction& transaction, const rpc::Call& call,
                                        const std::string& number) {
  std::optional<Invoice> invoice = FindInvoice(transaction, number);
  if (!invoice) return Refuse(Reason::kInvoiceNotFound);
  GUILDER_RETURN_IF_ERROR(call.CheckActsFor(invoice->partner));
  GUILDER_ASSIGN_OR_RETURN(const Programme programme, LoadProgramme(transaction));
  return ToProto(LoadDocument(transaction, programme, *std::move(invoice)));
}

// Adds each partner's invoices and obligation to its net, and to each line what it stands on.
void AddDocuments(Transaction& transaction, SettlementId id, v1::Settlement& settlement) {
  std::map<std::string, v1::PartnerNet*> nets;
  for (v1::PartnerNet& net : *settlement.mutable_nets()) nets[net.partner()] = &net;
  for (const PartnerInvoice& invoice : ReadPartnerInvoices(transaction, id)) {
    const auto net = nets.find(PartnerName(invoice.partner_slug));
    if (net != nets.end()) net->second->add_invoices(InvoiceName(invoice.number));
  }
  AddInvoicesOfLines(transaction, id, *settlement.mutable_lines());
  const std::vector<StoredObligation> obligations = ReadObligations(transaction, id);
  std::vector<PartnerId> partners;
  for (const StoredObligation& obligation : obligations) {
    partners.push_back(obligation.debt.partner);
    if (obligation.loss_owner) partners.push_back(obligation.loss_owner);
  }
  const Directory directory = LoadDirectory(transaction, partners);
  for (const StoredObligation& obligation : obligations) {
    v1::Obligation out = ToProto(obligation, directory);
    const auto net = nets.find(out.partner());
    if (net != nets.end()) *net->second->mutable_obligation() = std::move(out);
  }
}

}  // namespace

absl::StatusOr<v1::GetSettlementResponse> SettlementHandlers::GetSettlement(
    const rpc::Call& call, const v1::GetSettlementRequest& request) {
  const std::optional<SettlementId> id = ParseSettlementName(request.name());
  if (!id) return Refuse(Reason::kSettlementNotFound);
  return pool_.Read(
      [&](Transaction& transaction) -> absl::StatusOr<v1::GetSettlementResponse> {
        LockForReading(transaction);
        GUILDER_ASSIGN_OR_RETURN(Settlement settlement, FindSettlement(transaction, *id));
        v1::GetSettlementResponse response;
        *response.mutable_settlement() = ToProto(LoadView(transaction, std::move(settlement)));
        AddDocuments(transaction, *id, *response.mutable_settlement());
        return response;
      },
      call.deadline());
}

absl::StatusOr<v1::ListSettlementsResponse> SettlementHandlers::ListSettlements(
    const rpc::Call& call, const v1::ListSettlementsRequest& request) {
  constexpr char kList[] = "settlements";
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(kList, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const SettlementId before(static_cast<int32_t>(ParseInt(position).value_or(INT32_MAX)));
  v1::ListSettlementsResponse response;
  GUILDER_RETURN_IF_ERROR(pool_.Read(
      [&](Transaction& transaction) -> absl::Status {
        LockForReading(transaction);
        const std::vector<SettlementSummary> listed =
            settlement::ListSettlements(transaction, before, page_size + 1);
        const size_t count = std::min(listed.size(), static_cast<size_t>(page_size));
        for (size_t i = 0; i < count; ++i) {
          v1::Settlement& out = *response.add_settlements();
          out = ToProto(listed[i].settlement);
          out.set_window_count(listed[i].windows);
          out.set_operator_net_minor_units(listed[i].net.value());
          out.set_due_minor_units(listed[i].due.value());
        }
        if (listed.size() > count) {
          response.set_next_page_token(
              page_tokens_.Make(kList, absl::StrCat(listed[count - 1].settlement.id.value())));
        }
        return absl::OkStatus();
      },
      call.deadline()));
  return response;
}

absl::StatusOr<v1::ListObligationsResponse> SettlementHandlers::ListObligations(
    const rpc::Call& call, const v1::ListObligationsRequest& request) {
  const std::string list = absl::StrCat("obligations/", request.parent());
  GUILDER_ASSIGN_OR_RETURN(const std::string position,
                           page_tokens_.Position(list, request.page_token()));
  GUILDER_ASSIGN_OR_RETURN(const int page_size, rpc::PageSize(request.page_size()));
  const std::optional<SettlementId> parent = ParseSettlementName(request.parent());
  if (!parent && !request.parent().empty()) return Refuse(Reason::kSettlementNotFound);
  GUILDER_ASSIGN_OR_RETURN(const ObligationPage page,
                           pool_.Read(
                               [&](Transaction& transaction) -> absl::StatusOr<ObligationPage> {
                                 return LoadObligations(transaction, parent,
                                                        ParsePosition(position), page_size + 1);
                               },
                               call.deadline()));

  v1::ListObligationsResponse response;
  const size_t count = std::min(page.obligations.size(), static_cast<size_t>(page_size));
  for (size_t i = 0; i < count; ++i) {
    *response.add_obligations() = ToProto(page.obligations[i], page.directory);
  }
  if (page.obligations.size() > count) {
    const StoredObligation& last = page.obligations[count - 1];
    response.set_next_page_token(page_tokens_.Make(
        list, absl::StrCat(last.settlement.value(), "/", last.debt.partner.value())));
  }
  return response;
}

absl::StatusOr<v1::GetPartnerStatementResponse> SettlementHandlers::GetPartnerStatement(
    const rpc::Call& call, const v1::GetPartnerStatementRequest& request) {
  const std::optional<SettlementId> id = ParseSettlementName(request.settlement());
  if (!id) return Refuse(Reason::kSettlementNotFound);
  const auto parts = rpc::ParseName("partners/{}", request.partner());
  return pool_.Read(
      [&](Transaction& transaction) {
        return LoadStatement(transaction, call, *id, parts ? parts->front() : std::string());
      },
      call.deadline());
}

absl::StatusOr<v1::GetInvoiceResponse> SettlementHandlers::GetInvoice(
    const rpc::Call& call, const v1::GetInvoiceRequest& request) {
  const auto parts = rpc::ParseName("invoices/{}", request.name());
  if (!parts) return Refuse(Reason::kInvoiceNotFound);
  v1::GetInvoiceResponse response;
  GUILDER_ASSIGN_OR_RETURN(
      *response.mutable_invoice(),
      pool_.Read(
          [&](Transaction& transaction) { return LoadInvoice(transaction, call, parts->front()); },
          call.deadline()));
  return response;
}

}  // namespace guilder::settlement
