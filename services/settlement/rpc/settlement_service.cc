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

// Each method is the handler of its name.
#define GUILDER_SETTLEMENT_METHOD_(Method)                                       \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,         \
                                   const v1::Method##Request* request,           \
                                   v1::Method##Response* response) override {    \
    return rpc::Unary(methods_, #Method, context, request, response,             \
                      std::bind_front(&SettlementHandlers::Method, &handlers_)); \
  }
  GUILDER_SETTLEMENT_METHOD_(ListWindows)
  GUILDER_SETTLEMENT_METHOD_(GetWindow)
  GUILDER_SETTLEMENT_METHOD_(CloseWindow)
  GUILDER_SETTLEMENT_METHOD_(ComputeSettlement)
  GUILDER_SETTLEMENT_METHOD_(ApproveSettlement)
  GUILDER_SETTLEMENT_METHOD_(ExportPayments)
  GUILDER_SETTLEMENT_METHOD_(DefaultObligation)
  GUILDER_SETTLEMENT_METHOD_(GetSettlementPolicy)
  GUILDER_SETTLEMENT_METHOD_(UpdateSettlementPolicy)
  GUILDER_SETTLEMENT_METHOD_(GetSettlement)
  GUILDER_SETTLEMENT_METHOD_(ListObligations)
  GUILDER_SETTLEMENT_METHOD_(GetPartnerStatement)
  GUILDER_SETTLEMENT_METHOD_(GetInvoice)
  GUILDER_SETTLEMENT_METHOD_(GetBalanceSheet)
  GUILDER_SETTLEMENT_METHOD_(GetLiability)
  GUILDER_SETTLEMENT_METHOD_(ListMoneyEntries)
#undef GUILDER_SETTLEMENT_METHOD_

#define GUILDER_BANK_METHOD_(Method)                                          \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return rpc::Unary(methods_, #Method, context, request, response,          \
                      std::bind_front(&BankHandlers::Method, &bank_));        \
  }
  GUILDER_BANK_METHOD_(ImportBankStatement)
  GUILDER_BANK_METHOD_(ListBankEntries)
  GUILDER_BANK_METHOD_(AllocateSuspense)
  GUILDER_BANK_METHOD_(ProposeWriteOff)
  GUILDER_BANK_METHOD_(ApproveWriteOff)
  GUILDER_BANK_METHOD_(GetAgeing)
#undef GUILDER_BANK_METHOD_

#define GUILDER_DISPUTE_METHOD_(Method)                                       \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return rpc::Unary(methods_, #Method, context, request, response,          \
                      std::bind_front(&DisputeHandlers::Method, &disputes_)); \
  }
  GUILDER_DISPUTE_METHOD_(OpenDispute)
  GUILDER_DISPUTE_METHOD_(ResolveDispute)
  GUILDER_DISPUTE_METHOD_(GetDispute)
  GUILDER_DISPUTE_METHOD_(ListDisputes)
  GUILDER_DISPUTE_METHOD_(GetDisputePolicy)
  GUILDER_DISPUTE_METHOD_(UpdateDisputePolicy)
#undef GUILDER_DISPUTE_METHOD_

#define GUILDER_DOCUMENT_METHOD_(Method)                                        \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,        \
                                   const v1::Method##Request* request,          \
                                   v1::Method##Response* response) override {   \
    return rpc::Unary(methods_, #Method, context, request, response,            \
                      std::bind_front(&DocumentHandlers::Method, &documents_)); \
  }
  GUILDER_DOCUMENT_METHOD_(ListInvoices)
  GUILDER_DOCUMENT_METHOD_(RenderStatement)
  GUILDER_DOCUMENT_METHOD_(RenderSettlementReport)
#undef GUILDER_DOCUMENT_METHOD_

#define GUILDER_RECONCILIATION_METHOD_(Method)                                              \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,                    \
                                   const v1::Method##Request* request,                      \
                                   v1::Method##Response* response) override {               \
    return rpc::Unary(methods_, #Method, context, request, response,                        \
                      std::bind_front(&ReconciliationHandlers::Method, &reconciliations_)); \
  }
  GUILDER_RECONCILIATION_METHOD_(GetReconciliation)
  GUILDER_RECONCILIATION_METHOD_(ListBreaks)
  GUILDER_RECONCILIATION_METHOD_(AssignBreak)
  GUILDER_RECONCILIATION_METHOD_(ResolveBreak)
#undef GUILDER_RECONCILIATION_METHOD_

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
