// The books as a whole. For libs/ledger/store/verify*.cc.
#pragma once

#include <vector>

#include "libs/base/types.h"
#include "libs/ledger/store/verify_findings.h"
#include "libs/postgres/connection.h"

namespace guilder::ledger {

struct BookFacts {
  BookId book;
  RecordNumber last_number;
};

// Lists the books. Reports one that is of no programme or of a format that this program does not
// know, clocks that differ among the books of a programme, and rows of books that there are not.
std::vector<BookFacts> CheckBooks(postgres::Transaction& transaction, Findings& findings);

// Reports points that left an account and came to none: over all books there are none in transit.
void CheckTransit(postgres::Transaction& transaction, Findings& findings);

}  // namespace guilder::ledger
