#include "services/operator/rpc/operator_service.h"

#include <functional>

#include "guilder/operator/v1/operator_service.grpc.pb.h"

#include "libs/base/status_macros.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/handlers.h"
#include "libs/rpc/server_stream.h"
#include "services/operator/rpc/operator_handlers.h"
#include "services/operator/store/partition_keeper.h"
#include "services/operator/store/programme.h"

namespace guilder::operator_ {
namespace {

class OperatorService final : public v1::OperatorService::CallbackService {
 public:
  explicit OperatorService(const OperatorServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kOperatorServiceName),
        handlers_(dependencies.pool, dependencies.secrets),
        partition_keeper_(dependencies.pool) {}

// Each method is the handler of its name.
#define GUILDER_OPERATOR_METHOD_(Method)                                       \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,       \
                                   const v1::Method##Request* request,         \
                                   v1::Method##Response* response) override {  \
    return rpc::Unary(methods_, #Method, context, request, response,           \
                      std::bind_front(&OperatorHandlers::Method, &handlers_)); \
  }
  GUILDER_OPERATOR_METHOD_(CreateOperator)
  GUILDER_OPERATOR_METHOD_(ListOperators)
  GUILDER_OPERATOR_METHOD_(DisableOperator)
  GUILDER_OPERATOR_METHOD_(GetProgramme)
  GUILDER_OPERATOR_METHOD_(AdvanceClock)
  GUILDER_OPERATOR_METHOD_(Explain)
  GUILDER_OPERATOR_METHOD_(GetTrialBalance)
  GUILDER_OPERATOR_METHOD_(ListAuditRecords)
  GUILDER_OPERATOR_METHOD_(VerifyAuditLog)
  GUILDER_OPERATOR_METHOD_(ListApprovals)
  GUILDER_OPERATOR_METHOD_(RequestApproval)
  GUILDER_OPERATOR_METHOD_(Approve)
  GUILDER_OPERATOR_METHOD_(Reject)
#undef GUILDER_OPERATOR_METHOD_

  grpc::ServerWriteReactor<v1::VerifyLedgerResponse>* VerifyLedger(
      grpc::CallbackServerContext* context, const v1::VerifyLedgerRequest* request) override {
    return rpc::ServerStream<v1::VerifyLedgerRequest, v1::VerifyLedgerResponse>(
        methods_, "VerifyLedger", context, request,
        std::bind_front(&OperatorHandlers::VerifyLedger, &handlers_));
  }

 private:
  const rpc::Methods methods_;
  OperatorHandlers handlers_;
  PartitionKeeper partition_keeper_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Service>> MakeOperatorService(
    const OperatorServiceDependencies& dependencies) {
  GUILDER_RETURN_IF_ERROR(dependencies.pool.Read(ReadProgramme).status());
  return std::make_shared<OperatorService>(dependencies);
}

}  // namespace guilder::operator_
