// Proves the money ledger from its rows. For libs/ledger/store/verify*.cc.
#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

#include "libs/ledger/store/verify_findings.h"
#include "libs/postgres/pool.h"

namespace guilder::ledger {

// Reads every transaction once, in chunks of a transaction of the database each, up to the head
// that it found first: what is posted meanwhile is proved the next time. `go_on` is called after
// each chunk, and an error of it ends the reading.
absl::Status VerifyMoney(postgres::Pool& pool, Findings& findings,
                         absl::FunctionRef<absl::Status()> go_on);

}  // namespace guilder::ledger
