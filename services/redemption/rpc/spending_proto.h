// Between the messages of the spending service and the domain.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "guilder/redemption/v1/spending_service.pb.h"

#include "libs/base/types.h"
#include "libs/ledger/core/configuration.h"
#include "services/redemption/domain/redemption.h"
#include "services/redemption/store/policies.h"
#include "services/redemption/store/reviews.h"

namespace guilder::redemption {

// "members/{id}". Error: kMemberNotFound.
absl::StatusOr<AccountId> ParseMember(const std::string& name);
std::string MemberName(AccountId account);

// A redemption that is decided, and the form of the note. Errors: kRequestMalformed,
// kReviewNotFound for what cannot be a name.
absl::StatusOr<RedemptionId> ParseReviewed(const std::string& name, const std::string& note);

// Its number is that of the version that it takes the place of. Error: kRequestMalformed.
absl::StatusOr<ledger::RedemptionPolicy> FromProto(const v1::RedemptionPolicy& policy);
v1::RedemptionPolicy ToProto(const StoredPolicy& stored);
v1::Review ToProto(const ReviewRow& row);

}  // namespace guilder::redemption
