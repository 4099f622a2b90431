// Answers the calls of guilder.accrual.v1.RuleService.
#pragma once

#include "absl/status/statusor.h"
#include "guilder/accrual/v1/rule_service.pb.h"

#include "libs/ledger/store/programme.h"
#include "libs/postgres/pool.h"
#include "libs/rpc/call.h"
#include "libs/rpc/names.h"

namespace guilder::security {
class Secrets;
}

namespace guilder::accrual {

// Thread safe. Handlers block on the database: they run on the runtime's workers.
class RuleHandlers {
 public:
  // The pool outlives the handlers.
  RuleHandlers(postgres::Pool& pool, const security::Secrets& secrets,
               const ledger::ProgrammeFacts& programme);

  absl::StatusOr<v1::ProposeRuleSetResponse> ProposeRuleSet(
      const rpc::Call& call, const v1::ProposeRuleSetRequest& request);
  absl::StatusOr<v1::ApproveRuleSetResponse> ApproveRuleSet(
      const rpc::Call& call, const v1::ApproveRuleSetRequest& request);
  absl::StatusOr<v1::RejectRuleSetResponse> RejectRuleSet(const rpc::Call& call,
                                                          const v1::RejectRuleSetRequest& request);
  absl::StatusOr<v1::GetRuleSetResponse> GetRuleSet(const rpc::Call& call,
                                                    const v1::GetRuleSetRequest& request);
  absl::StatusOr<v1::ListRuleSetsResponse> ListRuleSets(const rpc::Call& call,
                                                        const v1::ListRuleSetsRequest& request);
  absl::StatusOr<v1::SimulateRuleSetResponse> SimulateRuleSet(
      const rpc::Call& call, const v1::SimulateRuleSetRequest& request);

 private:
  postgres::Pool& pool_;
  const ledger::ProgrammeFacts programme_;
  const rpc::PageTokens page_tokens_;
};

}  // namespace guilder::accrual
