// Answers the calls of guilder.member.v1.MemberDocumentService.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "guilder/member/v1/document_service.pb.h"

#include "libs/ledger/store/lanes.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/member_view.h"

namespace guilder::member {

// Thread safe. Blocks on the database: runs on the runtime's workers.
class DocumentHandlers {
 public:
  // The view outlives it.
  DocumentHandlers(const MemberServiceDependencies& dependencies, const MemberView& view)
      : pool_(dependencies.pool), lanes_(dependencies.lanes), view_(view) {}

  absl::StatusOr<v1::RenderMemberStatementResponse> RenderMemberStatement(
      const rpc::Call& call, const v1::RenderMemberStatementRequest& request);
  absl::StatusOr<v1::ExportMemberResponse> ExportMember(const rpc::Call& call,
                                                        const v1::ExportMemberRequest& request);

 private:
  struct Wanted {
    const char* action;
    // The latest so many; everything about the member when `all`.
    int records = 0;
    bool all = false;
  };
  absl::StatusOr<v1::MemberDocument> Read(const rpc::Call& call, std::string_view name,
                                          const Wanted& wanted) const;

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  const MemberView& view_;
};

}  // namespace guilder::member
