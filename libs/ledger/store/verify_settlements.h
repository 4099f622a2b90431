// Proves settlements against the positions of their windows. For libs/ledger/store/verify*.cc.
#pragma once

#include "libs/ledger/store/verify_findings.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

// Runs in a snapshot.
void VerifySettlements(postgres::Transaction& transaction, Findings& findings);

}  // namespace guilder::ledger
