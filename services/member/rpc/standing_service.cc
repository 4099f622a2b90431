#include "services/member/rpc/standing_service.h"

#include <functional>

#include "guilder/member/v1/standing_service.grpc.pb.h"

#include "libs/rpc/handlers.h"
#include "services/member/rpc/standing_handlers.h"

namespace guilder::member {
namespace {

class StandingService final : public v1::StandingService::CallbackService {
 public:
  explicit StandingService(const MemberServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kStandingServiceName), handlers_(dependencies) {}

// Each of these is the handler of its name.
#define GUILDER_STANDING_METHOD_(Method)                                       \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,       \
                                   const v1::Method##Request* request,         \
                                   v1::Method##Response* response) override {  \
    return rpc::Unary(methods_, #Method, context, request, response,           \
                      std::bind_front(&StandingHandlers::Method, &handlers_)); \
  }
  GUILDER_STANDING_METHOD_(SetTier)
  GUILDER_STANDING_METHOD_(ListTierChanges)
  GUILDER_STANDING_METHOD_(AddSegment)
  GUILDER_STANDING_METHOD_(RemoveSegment)
  GUILDER_STANDING_METHOD_(ListSegments)
  GUILDER_STANDING_METHOD_(SetResidence)
  GUILDER_STANDING_METHOD_(ListResidences)
#undef GUILDER_STANDING_METHOD_

 private:
  const rpc::Methods methods_;
  StandingHandlers handlers_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakeStandingService(const MemberServiceDependencies& dependencies) {
  return std::make_shared<StandingService>(dependencies);
}

}  // namespace guilder::member
