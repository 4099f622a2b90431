#include <functional>

#include "guilder/member/v1/bonus_service.grpc.pb.h"

#include "libs/rpc/handlers.h"
#include "services/member/rpc/bonus_handlers.h"
#include "services/member/rpc/member_service.h"

namespace guilder::member {
namespace {

class BonusService final : public v1::BonusService::CallbackService {
 public:
  explicit BonusService(const MemberServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kBonusServiceName),
        view_(dependencies.pool, dependencies.secrets),
        handlers_(dependencies, view_) {}

// Each of these is the handler of its name.
#define GUILDER_METHOD_(Method)                                               \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return rpc::Unary(methods_, #Method, context, request, response,          \
                      std::bind_front(&BonusHandlers::Method, &handlers_));   \
  }
  GUILDER_METHOD_(GetBonusPolicy)
  GUILDER_METHOD_(UpdateBonusPolicy)
  GUILDER_METHOD_(ReferMember)
  GUILDER_METHOD_(GrantBirthdayBonuses)
#undef GUILDER_METHOD_

 private:
  const rpc::Methods methods_;
  const MemberView view_;
  BonusHandlers handlers_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakeBonusService(const MemberServiceDependencies& dependencies) {
  return std::make_shared<BonusService>(dependencies);
}

}  // namespace guilder::member
