// Proves limits over all books. For libs/ledger/store/verify*.cc.
#pragma once

#include "libs/ledger/store/verify_findings.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

// Runs in a snapshot: what was granted is in the pool, in the allowances of books, or spent by the
// positions of limited contracts; and it is what was sold.
void VerifyLimits(postgres::Transaction& transaction, Findings& findings);

}  // namespace guilder::ledger
