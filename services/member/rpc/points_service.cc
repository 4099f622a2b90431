#include "services/member/rpc/points_service.h"

#include <functional>

#include "guilder/member/v1/points_service.grpc.pb.h"

#include "libs/rpc/handlers.h"
#include "services/member/rpc/points_handlers.h"

namespace guilder::member {
namespace {

class PointsService final : public v1::PointsService::CallbackService {
 public:
  explicit PointsService(const MemberServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kPointsServiceName), handlers_(dependencies) {}

// Each of these is the handler of its name.
#define GUILDER_POINTS_METHOD_(Method)                                        \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return rpc::Unary(methods_, #Method, context, request, response,          \
                      std::bind_front(&PointsHandlers::Method, &handlers_));  \
  }
  GUILDER_POINTS_METHOD_(GetPointsPolicy)
  GUILDER_POINTS_METHOD_(UpdatePointsPolicy)
  GUILDER_POINTS_METHOD_(ReverseTransfer)
  GUILDER_POINTS_METHOD_(ApproveAdjustment)
  GUILDER_POINTS_METHOD_(RejectAdjustment)
  GUILDER_POINTS_METHOD_(ListAdjustments)
  GUILDER_POINTS_METHOD_(ReportAdjustments)
  GUILDER_POINTS_METHOD_(ReinstatePoints)
  GUILDER_POINTS_METHOD_(PreviewExpiry)
  GUILDER_POINTS_METHOD_(SweepExpiry)
#undef GUILDER_POINTS_METHOD_

 private:
  const rpc::Methods methods_;
  PointsHandlers handlers_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakePointsService(const MemberServiceDependencies& dependencies) {
  return std::make_shared<PointsService>(dependencies);
}

}  // namespace guilder::member
