#include <functional>

#include "guilder/member/v1/card_service.grpc.pb.h"

#include "libs/rpc/handlers.h"
#include "services/member/rpc/card_handlers.h"
#include "services/member/rpc/member_service.h"

namespace guilder::member {
namespace {

class CardService final : public v1::CardService::CallbackService {
 public:
  explicit CardService(const MemberServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kCardServiceName),
        view_(dependencies.pool, dependencies.secrets),
        handlers_(dependencies, view_) {}

// Each of these is the handler of its name.
#define GUILDER_CARD_METHOD_(Method)                                          \
  grpc::ServerUnaryReactor* Method(grpc::CallbackServerContext* context,      \
                                   const v1::Method##Request* request,        \
                                   v1::Method##Response* response) override { \
    return rpc::Unary(methods_, #Method, context, request, response,          \
                      std::bind_front(&CardHandlers::Method, &handlers_));    \
  }
  GUILDER_CARD_METHOD_(CreateCardRange)
  GUILDER_CARD_METHOD_(ListCardRanges)
  GUILDER_CARD_METHOD_(CreateCardBatch)
  GUILDER_CARD_METHOD_(ListCardBatches)
  GUILDER_CARD_METHOD_(ListBatchCards)
  GUILDER_CARD_METHOD_(GetCard)
  GUILDER_CARD_METHOD_(ActivateCard)
  GUILDER_CARD_METHOD_(ReplaceCard)
  GUILDER_CARD_METHOD_(LapseUnclaimedCards)
#undef GUILDER_CARD_METHOD_

 private:
  const rpc::Methods methods_;
  const MemberView view_;
  CardHandlers handlers_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakeCardService(const MemberServiceDependencies& dependencies) {
  return std::make_shared<CardService>(dependencies);
}

}  // namespace guilder::member
