// When a proposed rule set may be approved.
#pragma once

#include <string>

#include "absl/status/status.h"

#include "libs/base/types.h"

namespace guilder::accrual {

struct RuleSetProposal {
  bool decided = false;  // Approved or rejected.
  std::string proposed_by;
  Timestamp effective_from;
};

// Whether `actor` may approve it now. With `may_begin_in_past`, which only programmes that are not
// live have, the clock does not matter.
//
// Errors, first match wins: WRONG_STATE, SAME_PERSON, EFFECTIVE_IN_PAST.
absl::Status CheckApproval(const RuleSetProposal& proposal, const std::string& actor, Timestamp now,
                           bool may_begin_in_past);

}  // namespace guilder::accrual
