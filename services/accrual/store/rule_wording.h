// Whether proposed rules say what they seem to say.
#pragma once

#include "absl/status/status.h"
#include "guilder/accrual/v1/rule_service.pb.h"

namespace guilder::accrual {

// Refuses what would be read as something else: a value of an enum that is not known here, as one
// of a later version, which would count as not stated; a brand that is named for a funder of
// another kind, which would not pay; and texts with the character NUL. Asked of what is proposed
// only: what was approved stays as it was read then.
//
// Error: REQUEST_MALFORMED, with the field in the metadata.
absl::Status CheckWording(const v1::RuleSet& rule_set);

}  // namespace guilder::accrual
