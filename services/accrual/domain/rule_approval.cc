#include "services/accrual/domain/rule_approval.h"

#include "libs/base/reason.h"

namespace guilder::accrual {

absl::Status CheckApproval(const RuleSetProposal& proposal, const std::string& actor, Timestamp now,
                           bool may_begin_in_past) {
  if (proposal.decided) return Refuse(Reason::kWrongState);
  if (proposal.proposed_by == actor) return Refuse(Reason::kSamePerson);
  if (proposal.effective_from < now && !may_begin_in_past) return Refuse(Reason::kEffectiveInPast);
  return absl::OkStatus();
}

}  // namespace guilder::accrual
