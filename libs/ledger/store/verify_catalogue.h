// Proves that orders and vouchers are what their holds say. For libs/ledger/store/verify*.cc.
#pragma once

#include "absl/status/status.h"

#include "libs/ledger/store/verify_findings.h"
#include "libs/postgres/pool.h"

namespace guilder::ledger {

// Holds themselves are proved from entries. Each chunk is one statement, and so one snapshot; the
// rows of an order and of its hold are written by one transaction.
absl::Status VerifyCatalogue(postgres::Pool& pool, Findings& findings);

}  // namespace guilder::ledger
