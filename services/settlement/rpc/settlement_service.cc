#include "services/settlement/rpc/settlement_service.h"

#include <functional>

#include "guilder/settlement/v1/settlement_service.grpc.pb.h"

#include "libs/rpc/client_stream.h"
#include "libs/rpc/handlers.h"
#include "services/settlement/rpc/bank_handlers.h"
#include "services/settlement/rpc/dispute_handlers.h"
#include "services/settlement/rpc/document_handlers.h"
#include "services/settlement/rpc/reconciliation_handlers.h"
#include "services/settlement/rpc/settlement_handlers.h"

namespace guilder::settlement {
namespace {

class SettlementService final : public v1::SettlementService::CallbackService {
 public:
  explicit SettlementService(const SettlementServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kSettlementServiceName),
        handlers_(dependencies.pool, dependencies.secrets),
        reconciliations_(dependencies.pool, dependencies.secrets),
        bank_(dependencies.pool, dependencies.secrets),
        disputes_(dependencies.pool, dependencies.secrets),
        documents_(dependencies.pool, dependencies.secrets) {}

// Each method is the handler of its name, of that object.
#define GUILDER_METHOD_(handlers, Method)                                       \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,        \
                                   const v1::Method##Request* request,          \
                                   v1::Method##Response* response) override {   \
    return rpc::Unary(methods_, #Method, context, request, response,            \
                      std::bind_front(&decltype(handlers)::Method, &handlers)); \
  }
  GUILDER_METHOD_(handlers_, ListWindows)
  GUILDER_METHOD_(handlers_, GetWindow)
  GUILDER_METHOD_(handlers_, CloseWindow)
  GUILDER_METHOD_(handlers_, ListHolidays)
  GUILDER_METHOD_(handlers_, AddHolidays)
  GUILDER_METHOD_(handlers_, RemoveHoliday)
  GUILDER_METHOD_(handlers_, ComputeSettlement)
  GUILDER_METHOD_(handlers_, ApproveSettlement)
  GUILDER_METHOD_(handlers_, RejectSettlement)
  GUILDER_METHOD_(handlers_, ExportPayments)
  GUILDER_METHOD_(handlers_, DefaultObligation)
  GUILDER_METHOD_(handlers_, GetSettlementPolicy)
  GUILDER_METHOD_(handlers_, UpdateSettlementPolicy)
  GUILDER_METHOD_(handlers_, GetSettlement)
  GUILDER_METHOD_(handlers_, ListSettlements)
  GUILDER_METHOD_(handlers_, ListObligations)
  GUILDER_METHOD_(handlers_, GetPartnerStatement)
  GUILDER_METHOD_(handlers_, GetInvoice)
  GUILDER_METHOD_(handlers_, GetBalanceSheet)
  GUILDER_METHOD_(handlers_, GetLiability)
  GUILDER_METHOD_(handlers_, ListMoneyEntries)

  GUILDER_METHOD_(bank_, ImportBankStatement)
  GUILDER_METHOD_(bank_, ListBankEntries)
  GUILDER_METHOD_(bank_, AllocateSuspense)
  GUILDER_METHOD_(bank_, ProposeWriteOff)
  GUILDER_METHOD_(bank_, ApproveWriteOff)
  GUILDER_METHOD_(bank_, RejectWriteOff)
  GUILDER_METHOD_(bank_, GetAgeing)

  GUILDER_METHOD_(disputes_, OpenDispute)
  GUILDER_METHOD_(disputes_, ResolveDispute)
  GUILDER_METHOD_(disputes_, GetDispute)
  GUILDER_METHOD_(disputes_, ListDisputes)
  GUILDER_METHOD_(disputes_, GetDisputePolicy)
  GUILDER_METHOD_(disputes_, UpdateDisputePolicy)

  GUILDER_METHOD_(documents_, ListInvoices)
  GUILDER_METHOD_(documents_, RenderStatement)
  GUILDER_METHOD_(documents_, RenderInvoice)
  GUILDER_METHOD_(documents_, RenderSettlementReport)

  GUILDER_METHOD_(reconciliations_, GetReconciliation)
  GUILDER_METHOD_(reconciliations_, ListBreaks)
  GUILDER_METHOD_(reconciliations_, AssignBreak)
  GUILDER_METHOD_(reconciliations_, ResolveBreak)
#undef GUILDER_METHOD_

  grpc::ServerReadReactor<v1::SubmitReconciliationRequest>* SubmitReconciliation(
      grpc::CallbackServerContext* context, v1::SubmitReconciliationResponse* response) override {
    return rpc::ClientStream<v1::SubmitReconciliationRequest>(
        methods_, "SubmitReconciliation", context, response, {},
        std::bind_front(&ReconciliationHandlers::SubmitReconciliation, &reconciliations_));
  }

 private:
  const rpc::Methods methods_;
  SettlementHandlers handlers_;
  ReconciliationHandlers reconciliations_;
  BankHandlers bank_;
  DisputeHandlers disputes_;
  DocumentHandlers documents_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakeSettlementService(
    const SettlementServiceDependencies& dependencies) {
  return std::make_shared<SettlementService>(dependencies);
}

}  // namespace guilder::settlement
