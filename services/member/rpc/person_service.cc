#include <functional>

#include "guilder/member/v1/person_service.grpc.pb.h"

#include "libs/rpc/handlers.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/person_handlers.h"

namespace guilder::member {
namespace {

class PersonService final : public v1::PersonService::CallbackService {
 public:
  explicit PersonService(const MemberServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kPersonServiceName),
        view_(dependencies.pool, dependencies.secrets),
        handlers_(dependencies, view_) {}

// Each of these is the handler of its name.
#define GUILDER_PERSON_METHOD_(Run, Method)                                   \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return rpc::Run(methods_, #Method, context, request, response,            \
                    std::bind_front(&PersonHandlers::Method, &handlers_));    \
  }
  GUILDER_PERSON_METHOD_(Unary, UpdateMember)
  GUILDER_PERSON_METHOD_(Unary, AddPerson)
  GUILDER_PERSON_METHOD_(Unary, RemovePerson)
  GUILDER_PERSON_METHOD_(Unary, SetConsent)
  GUILDER_PERSON_METHOD_(Unary, ListConsents)
  GUILDER_PERSON_METHOD_(Unary, CheckConsents)
  GUILDER_PERSON_METHOD_(Unary, LockMember)
  GUILDER_PERSON_METHOD_(Unary, UnlockMember)
  GUILDER_PERSON_METHOD_(Unary, RotateMemberKeys)
  GUILDER_PERSON_METHOD_(UnaryAsync, CloseMember)
  GUILDER_PERSON_METHOD_(UnaryAsync, EraseMember)
#undef GUILDER_PERSON_METHOD_

 private:
  const rpc::Methods methods_;
  const MemberView view_;
  PersonHandlers handlers_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakePersonService(const MemberServiceDependencies& dependencies) {
  return std::make_shared<PersonService>(dependencies);
}

}  // namespace guilder::member
