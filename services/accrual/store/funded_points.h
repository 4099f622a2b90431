// What a partner pays for at others' stores, read from the journal's entries.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::accrual {

// A purchase of another partner some of whose points are the funder's.
struct FundedSale {
  PartnerId seller;
  std::string store;  // the seller's code of it
  Points issued;      // in the range
  Points reversed;    // in the range, whenever the purchase was
};

// The purchases in a book for which points that `funder` issues were given or taken back in
// [from, until) of posted time; no more than `limit`. Runs in the caller's transaction.
absl::StatusOr<std::vector<FundedSale>> ReadFundedSales(postgres::Transaction& tx, PartnerId funder,
                                                        BookId book, Timestamp from,
                                                        Timestamp until, int64_t limit);

// The books of a programme, ascending.
std::vector<BookId> ReadBooks(postgres::Transaction& tx, ProgrammeId programme);

}  // namespace guilder::accrual
