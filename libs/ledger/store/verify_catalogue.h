// Proves that orders and vouchers are what their holds say. For libs/ledger/store/verify*.cc.
#pragma once

#include <vector>

#include "absl/status/status.h"

#include "libs/base/types.h"
#include "libs/ledger/store/journal.h"
#include "libs/ledger/store/verify_findings.h"
#include "libs/postgres/connection.h"
#include "libs/postgres/pool.h"

namespace guilder::ledger {

// Holds themselves are proved from entries. Each chunk is one statement, and so one snapshot; the
// rows of an order and of its hold are written by one transaction.
absl::Status VerifyCatalogue(postgres::Pool& pool, Findings& findings);

// That each of these records of a book which ordered a gift or issued a voucher has its row.
void CheckCatalogueOf(postgres::Transaction& transaction, BookId book,
                      const std::vector<StoredRecord>& records, Findings& findings);

}  // namespace guilder::ledger
