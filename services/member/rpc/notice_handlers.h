// Answers the calls of guilder.member.v1.NoticeService.
#pragma once

#include "absl/status/statusor.h"
#include "guilder/member/v1/notice_service.pb.h"

#include "libs/base/types.h"
#include "libs/ledger/store/lanes.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/names.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/member_view.h"

namespace guilder::member {

// Thread safe. Blocks on the database: it runs on the runtime's workers.
class NoticeHandlers {
 public:
  NoticeHandlers(const MemberServiceDependencies& dependencies, const MemberView& view);

  absl::StatusOr<v1::PrepareNoticesResponse> PrepareNotices(
      const rpc::Call& call, const v1::PrepareNoticesRequest& request);
  absl::StatusOr<v1::ListNoticesResponse> ListNotices(const rpc::Call& call,
                                                      const v1::ListNoticesRequest& request);
  absl::StatusOr<v1::AcknowledgeNoticesResponse> AcknowledgeNotices(
      const rpc::Call& call, const v1::AcknowledgeNoticesRequest& request);

 private:
  ProgrammeId programme() const { return lanes_.configuration()->programme().id; }

  postgres::Pool& pool_;
  ledger::Lanes& lanes_;
  const rpc::PageTokens page_tokens_;
};

}  // namespace guilder::member
