// Answers the calls of guilder.member.v1.ImportService.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "guilder/member/v1/import_service.pb.h"

#include "libs/ledger/store/lanes.h"
#include "libs/rpc/call.h"
#include "libs/rpc/worker_pool.h"
#include "services/member/rpc/member_service.h"
#include "services/member/rpc/member_view.h"
#include "services/member/store/enrolments.h"

namespace guilder::member {

// Thread safe.
class ImportHandlers {
 public:
  // The view outlives it.
  ImportHandlers(const MemberServiceDependencies& dependencies, const MemberView& view);

  // Does not block. `done` is called once.
  void Import(const std::shared_ptr<const rpc::Call>& call, const v1::ImportMembersRequest& item,
              ledger::Lanes::Done done);

 private:
  void Submit(std::unique_ptr<EnrolmentCommand> command, const ledger::Lanes::Done& done);

  ledger::Lanes& lanes_;
  rpc::WorkerPool& workers_;
  const MemberView& view_;
  EnrolmentRows rows_;
  CardSerials card_serials_;
};

}  // namespace guilder::member
