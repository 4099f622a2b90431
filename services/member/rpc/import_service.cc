#include "guilder/member/v1/import_service.grpc.pb.h"

#include "libs/rpc/handlers.h"
#include "libs/rpc/item_stream.h"
#include "libs/rpc/ledger_answers.h"
#include "libs/rpc/status.h"
#include "services/member/rpc/import_handlers.h"
#include "services/member/rpc/member_service.h"

namespace guilder::member {
namespace {

v1::ImportMembersResponse AnswerItem(const std::string& request_id,
                                     const absl::StatusOr<ledger::Answer>& answer) {
  v1::ImportMembersResponse item;
  item.set_request_id(request_id);
  auto imported = answer.ok() ? rpc::ToResponse<v1::ImportedMember>(*answer) : answer.status();
  if (imported.ok()) {
    *item.mutable_imported() = *std::move(imported);
  } else {
    *item.mutable_error() = rpc::ToRpcStatus(imported.status());
  }
  return item;
}

class ImportService final : public v1::ImportService::CallbackService {
 public:
  explicit ImportService(const MemberServiceDependencies& dependencies)
      : methods_(dependencies.runtime, kImportServiceName),
        view_(dependencies.pool, dependencies.secrets),
        handlers_(dependencies, view_) {}

  grpc::ServerBidiReactor<v1::ImportMembersRequest, v1::ImportMembersResponse>* ImportMembers(
      grpc::CallbackServerContext* context) override {
    return rpc::BidiItems<v1::ImportMembersRequest, v1::ImportMembersResponse>(
        methods_, "ImportMembers", context, {},
        [this](const std::shared_ptr<const rpc::Call>& call, const v1::ImportMembersRequest& item,
               rpc::ItemResponder<v1::ImportMembersResponse> respond) {
          handlers_.Import(
              call, item,
              [respond, id = item.request_id()](const absl::StatusOr<ledger::Answer>& answer) {
                respond(AnswerItem(id, answer));
              });
        });
  }

 private:
  const rpc::Methods methods_;
  const MemberView view_;
  ImportHandlers handlers_;
};

}  // namespace

std::shared_ptr<grpc::Service> MakeImportService(const MemberServiceDependencies& dependencies) {
  return std::make_shared<ImportService>(dependencies);
}

}  // namespace guilder::member
