#include <functional>

#include "guilder/member/v1/notice_service.grpc.pb.h"

#include "libs/rpc/handlers.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/notice_handlers.h"

namespace guilder::member {
namespace {

class NoticeService final : public v1::NoticeService::CallbackService {
 public:
  explicit NoticeService(const MemberServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kNoticeServiceName),
        view_(dependencies.pool, dependencies.secrets),
        handlers_(dependencies, view_) {}

// Each of these is the handler of its name.
#define GUILDER_METHOD_(Method)                                               \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return rpc::Unary(methods_, #Method, context, request, response,          \
                      std::bind_front(&NoticeHandlers::Method, &handlers_));  \
  }
  GUILDER_METHOD_(PrepareNotices)
  GUILDER_METHOD_(ListNotices)
  GUILDER_METHOD_(AcknowledgeNotices)
#undef GUILDER_METHOD_

 private:
  const rpc::Methods methods_;
  const MemberView view_;
  NoticeHandlers handlers_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakeNoticeService(const MemberServiceDependencies& dependencies) {
  return std::make_shared<NoticeService>(dependencies);
}

}  // namespace guilder::member
