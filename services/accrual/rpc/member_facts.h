// What rules may ask of members, as of the times of their purchases.
#pragma once

#include <vector>

#include "libs/rules/evaluate.h"
#include "libs/security/member_data.h"
#include "services/accrual/store/earning_rows.h"

namespace guilder::accrual {

// Reads tiers, segments and birthdays; parallel to what is asked. One statement for all; none for
// nothing. Of who was erased, and of accounts whose owner is not known yet, there is nothing.
std::vector<rules::MemberFacts> ReadMemberFacts(postgres::Transaction& tx,
                                                const security::MemberDataReader& reader,
                                                const std::vector<StandingAsked>& asked);

}  // namespace guilder::accrual
