// Reads what became of a partner's points.
#pragma once

#include "libs/base/types.h"
#include "services/partner/domain/exit_plan.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::partner {

// Outstanding, redeemed and expired points of the partner's versions, their last month of expiry,
// and the reserve that settlements have kept. What became of lots is known up to the last
// settlement that was computed; of the windows since, what was issued and taken back. The rest is
// left as it is.
ExitFacts ReadExitFacts(postgres::Transaction& transaction, PartnerId partner,
                        ProgrammeId programme);

}  // namespace guilder::partner
