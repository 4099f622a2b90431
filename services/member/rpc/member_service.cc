#include "services/member/rpc/member_service.h"

#include <functional>

#include "guilder/member/v1/member_service.grpc.pb.h"

#include "libs/rpc/handlers.h"
#include "services/member/rpc/member_handlers.h"
#include "services/member/rpc/points_handlers.h"

namespace guilder::member {
namespace {

class MemberService final : public v1::MemberService::CallbackService {
 public:
  explicit MemberService(const MemberServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kMemberServiceName),
        view_(dependencies.pool, dependencies.secrets),
        handlers_(dependencies, view_),
        points_(dependencies) {}

  grpc::ServerUnaryReactor* EnrolMember(grpc::CallbackServerContext* context,
                                        const v1::EnrolMemberRequest* request,
                                        v1::EnrolMemberResponse* response) override {
    return rpc::UnaryAsync(methods_, "EnrolMember", context, request, response,
                           std::bind_front(&MemberHandlers::EnrolMember, &handlers_));
  }

  grpc::ServerUnaryReactor* FindMember(grpc::CallbackServerContext* context,
                                       const v1::FindMemberRequest* request,
                                       v1::FindMemberResponse* response) override {
    return rpc::UnaryAsync(methods_, "FindMember", context, request, response,
                           std::bind_front(&MemberHandlers::FindMember, &handlers_));
  }

  grpc::ServerUnaryReactor* GetBalance(grpc::CallbackServerContext* context,
                                       const v1::GetBalanceRequest* request,
                                       v1::GetBalanceResponse* response) override {
    return rpc::UnaryAsync(methods_, "GetBalance", context, request, response,
                           std::bind_front(&MemberHandlers::GetBalance, &handlers_));
  }

// Each of these is the handler of its name.
#define GUILDER_MEMBER_METHOD_(Method)                                        \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return rpc::Unary(methods_, #Method, context, request, response,          \
                      std::bind_front(&MemberHandlers::Method, &handlers_));  \
  }
  GUILDER_MEMBER_METHOD_(GetMember)
  GUILDER_MEMBER_METHOD_(IssueCards)
  GUILDER_MEMBER_METHOD_(BlockCard)
  GUILDER_MEMBER_METHOD_(IssueMemberToken)
  GUILDER_MEMBER_METHOD_(ListLots)
  GUILDER_MEMBER_METHOD_(ListEntries)
  GUILDER_MEMBER_METHOD_(GetStatement)
#undef GUILDER_MEMBER_METHOD_

#define GUILDER_MEMBER_POINTS_METHOD_(Method)                                 \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return rpc::Unary(methods_, #Method, context, request, response,          \
                      std::bind_front(&PointsHandlers::Method, &points_));    \
  }
  GUILDER_MEMBER_POINTS_METHOD_(TransferPoints)
  GUILDER_MEMBER_POINTS_METHOD_(MergeMembers)
  GUILDER_MEMBER_POINTS_METHOD_(AdjustPoints)
#undef GUILDER_MEMBER_POINTS_METHOD_

 private:
  const rpc::Methods methods_;
  const MemberView view_;
  MemberHandlers handlers_;
  PointsHandlers points_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakeMemberService(const MemberServiceDependencies& dependencies) {
  return std::make_shared<MemberService>(dependencies);
}

}  // namespace guilder::member
