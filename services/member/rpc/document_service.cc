#include <functional>

#include "guilder/member/v1/document_service.grpc.pb.h"

#include "libs/rpc/handlers.h"
#include "services/member/rpc/document_handlers.h"
#include "services/member/rpc/member_service.h"

namespace guilder::member {
namespace {

class DocumentService final : public v1::MemberDocumentService::CallbackService {
 public:
  explicit DocumentService(const MemberServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kDocumentServiceName),
        view_(dependencies.pool, dependencies.secrets),
        handlers_(dependencies, view_) {}

  grpc::ServerUnaryReactor* RenderMemberStatement(
      grpc::CallbackServerContext* context, const v1::RenderMemberStatementRequest* request,
      v1::RenderMemberStatementResponse* response) override {
    return rpc::Unary(methods_, "RenderMemberStatement", context, request, response,
                      std::bind_front(&DocumentHandlers::RenderMemberStatement, &handlers_));
  }

  grpc::ServerUnaryReactor* ExportMember(grpc::CallbackServerContext* context,
                                         const v1::ExportMemberRequest* request,
                                         v1::ExportMemberResponse* response) override {
    return rpc::Unary(methods_, "ExportMember", context, request, response,
                      std::bind_front(&DocumentHandlers::ExportMember, &handlers_));
  }

 private:
  const rpc::Methods methods_;
  const MemberView view_;
  DocumentHandlers handlers_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakeDocumentService(const MemberServiceDependencies& dependencies) {
  return std::make_shared<DocumentService>(dependencies);
}

}  // namespace guilder::member
