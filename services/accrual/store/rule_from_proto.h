// One rule and one cap, from messages to what libs/rules evaluates.
#pragma once

#include "absl/status/statusor.h"

#include "libs/rules/rule_set.h"
#include "services/accrual/store/rule_codec.h"

namespace guilder::accrual {

namespace v1 {
class Cap;
class EarnRule;
class PurchasePolicies;
}  // namespace v1

// Errors: REQUEST_MALFORMED, also for a name that is not in `names`. What rules::Validate checks is
// not checked here.
absl::StatusOr<rules::Rule> RuleFromProto(const v1::EarnRule& rule, const RuleNames& names);
absl::StatusOr<rules::Cap> CapFromProto(const v1::Cap& cap);
absl::StatusOr<rules::Policies> PoliciesFromProto(const v1::PurchasePolicies& policies);

}  // namespace guilder::accrual
