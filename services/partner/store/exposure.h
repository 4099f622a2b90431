// Reads what a partner issued or bought in advance, and was not billed for.
#pragma once

#include <vector>

#include "libs/base/types.h"
#include "services/partner/domain/exposure.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::partner {

struct IssuanceToBill {
  std::vector<IssuedUnderContract> contracts;
  int currency_exponent = 2;
};

// Of postpaid contracts, and of blocks of points. What is not yet billed is what the next
// settlement would bill if it had all windows up to now.
IssuanceToBill ReadIssuanceToBill(postgres::Transaction& transaction, PartnerId partner,
                                  ProgrammeId programme);

}  // namespace guilder::partner
