#include "services/redemption/rpc/redemption_service.h"

#include <functional>

#include "guilder/redemption/v1/redemption_service.grpc.pb.h"

#include "libs/rpc/handlers.h"
#include "services/redemption/rpc/redemption_handlers.h"

namespace guilder::redemption {
namespace {

class RedemptionService final : public v1::RedemptionService::CallbackService {
 public:
  explicit RedemptionService(const RedemptionServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kRedemptionServiceName), handlers_(dependencies) {}

// Each method is the handler of its name.
#define GUILDER_REDEMPTION_METHOD_(Method, Wrapper)                           \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return Wrapper(methods_, #Method, context, request, response,             \
                   std::bind_front(&RedemptionHandlers::Method, &handlers_)); \
  }
  GUILDER_REDEMPTION_METHOD_(QuoteRedemption, rpc::Unary)
  GUILDER_REDEMPTION_METHOD_(AuthorizeRedemption, rpc::UnaryAsync)
  GUILDER_REDEMPTION_METHOD_(CaptureRedemption, rpc::UnaryAsync)
  GUILDER_REDEMPTION_METHOD_(VoidRedemption, rpc::UnaryAsync)
  GUILDER_REDEMPTION_METHOD_(RefundRedemption, rpc::UnaryAsync)
  GUILDER_REDEMPTION_METHOD_(GetRedemption, rpc::Unary)
#undef GUILDER_REDEMPTION_METHOD_

 private:
  const rpc::Methods methods_;
  RedemptionHandlers handlers_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakeRedemptionService(
    const RedemptionServiceDependencies& dependencies) {
  return std::make_shared<RedemptionService>(dependencies);
}

}  // namespace guilder::redemption
