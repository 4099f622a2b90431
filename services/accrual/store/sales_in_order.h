// Recorded purchases of many partners, one after the other.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "libs/base/types.h"
#include "services/accrual/store/sales.h"

namespace guilder::postgres {
class Pool;
}

namespace guilder::accrual {

// Gives the purchases of partners that were posted in [from, until), in the order of their posting.
// Reads them in chunks, each in a transaction of its own. One user at a time.
class SalesInOrder {
 public:
  // The pool outlives it. No more than some 20,000 purchases are in memory.
  SalesInOrder(postgres::Pool& pool, const std::vector<PartnerId>& partners, Timestamp from,
               Timestamp until);

  // Nothing after the last one.
  absl::StatusOr<std::optional<Sale>> Next();

 private:
  struct Source {
    PartnerId partner;
    SalePosition after;
    std::deque<Sale> read;
    bool ended = false;
  };
  absl::Status Fill(Source& source);

  postgres::Pool& pool_;
  const Timestamp until_;
  const int chunk_;
  std::vector<Source> sources_;
};

}  // namespace guilder::accrual
