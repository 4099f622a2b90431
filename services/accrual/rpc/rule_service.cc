#include "services/accrual/rpc/rule_service.h"

#include <functional>

#include "guilder/accrual/v1/rule_service.grpc.pb.h"

#include "libs/base/status_macros.h"
#include "libs/ledger/store/programme.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/handlers.h"
#include "services/accrual/rpc/rule_handlers.h"

namespace guilder::accrual {
namespace {

class RuleService final : public v1::RuleService::CallbackService {
 public:
  RuleService(const RuleServiceDependencies& dependencies, const ledger::ProgrammeFacts& programme)
      : methods_(dependencies.runtime, kRuleServiceName),
        handlers_(dependencies.pool, dependencies.secrets, programme) {}

  grpc::ServerUnaryReactor* ProposeRuleSet(grpc::CallbackServerContext* context,
                                           const v1::ProposeRuleSetRequest* request,
                                           v1::ProposeRuleSetResponse* response) override {
    return rpc::Unary(methods_, "ProposeRuleSet", context, request, response,
                      std::bind_front(&RuleHandlers::ProposeRuleSet, &handlers_));
  }
  grpc::ServerUnaryReactor* ApproveRuleSet(grpc::CallbackServerContext* context,
                                           const v1::ApproveRuleSetRequest* request,
                                           v1::ApproveRuleSetResponse* response) override {
    return rpc::Unary(methods_, "ApproveRuleSet", context, request, response,
                      std::bind_front(&RuleHandlers::ApproveRuleSet, &handlers_));
  }
  grpc::ServerUnaryReactor* RejectRuleSet(grpc::CallbackServerContext* context,
                                          const v1::RejectRuleSetRequest* request,
                                          v1::RejectRuleSetResponse* response) override {
    return rpc::Unary(methods_, "RejectRuleSet", context, request, response,
                      std::bind_front(&RuleHandlers::RejectRuleSet, &handlers_));
  }
  grpc::ServerUnaryReactor* GetRuleSet(grpc::CallbackServerContext* context,
                                       const v1::GetRuleSetRequest* request,
                                       v1::GetRuleSetResponse* response) override {
    return rpc::Unary(methods_, "GetRuleSet", context, request, response,
                      std::bind_front(&RuleHandlers::GetRuleSet, &handlers_));
  }
  grpc::ServerUnaryReactor* ListRuleSets(grpc::CallbackServerContext* context,
                                         const v1::ListRuleSetsRequest* request,
                                         v1::ListRuleSetsResponse* response) override {
    return rpc::Unary(methods_, "ListRuleSets", context, request, response,
                      std::bind_front(&RuleHandlers::ListRuleSets, &handlers_));
  }
  grpc::ServerUnaryReactor* SimulateRuleSet(grpc::CallbackServerContext* context,
                                            const v1::SimulateRuleSetRequest* request,
                                            v1::SimulateRuleSetResponse* response) override {
    return rpc::Unary(methods_, "SimulateRuleSet", context, request, response,
                      std::bind_front(&RuleHandlers::SimulateRuleSet, &handlers_));
  }

 private:
  const rpc::Methods methods_;
  RuleHandlers handlers_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Service>> MakeRuleService(
    const RuleServiceDependencies& dependencies) {
  GUILDER_ASSIGN_OR_RETURN(const ledger::ProgrammeFacts programme,
                           dependencies.pool.Read(ledger::ReadProgramme));
  return std::make_shared<RuleService>(dependencies, programme);
}

}  // namespace guilder::accrual
