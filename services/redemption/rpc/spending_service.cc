#include "services/redemption/rpc/spending_service.h"

#include <functional>

#include "guilder/redemption/v1/spending_service.grpc.pb.h"

#include "libs/rpc/handlers.h"
#include "services/redemption/rpc/spending_handlers.h"

namespace guilder::redemption {
namespace {

class SpendingService final : public v1::SpendingService::CallbackService {
 public:
  explicit SpendingService(const SpendingServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kSpendingServiceName), handlers_(dependencies) {}

// Each method is the handler of its name.
#define GUILDER_SPENDING_METHOD_(Method, Wrapper)                             \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return Wrapper(methods_, #Method, context, request, response,             \
                   std::bind_front(&SpendingHandlers::Method, &handlers_));   \
  }
  GUILDER_SPENDING_METHOD_(GetRedemptionPolicy, rpc::Unary)
  GUILDER_SPENDING_METHOD_(UpdateRedemptionPolicy, rpc::Unary)
  GUILDER_SPENDING_METHOD_(SetPin, rpc::Unary)
  GUILDER_SPENDING_METHOD_(CreateOneTimeCode, rpc::Unary)
  GUILDER_SPENDING_METHOD_(GetSpendingState, rpc::Unary)
  GUILDER_SPENDING_METHOD_(UnlockSpending, rpc::Unary)
  GUILDER_SPENDING_METHOD_(ListReviews, rpc::Unary)
  GUILDER_SPENDING_METHOD_(ReleaseReview, rpc::UnaryAsync)
  GUILDER_SPENDING_METHOD_(RejectReview, rpc::UnaryAsync)
#undef GUILDER_SPENDING_METHOD_

 private:
  const rpc::Methods methods_;
  SpendingHandlers handlers_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakeSpendingService(
    const SpendingServiceDependencies& dependencies) {
  return std::make_shared<SpendingService>(dependencies);
}

}  // namespace guilder::redemption
