// Reads what a partner issued and was not billed for.
#pragma once

#include <vector>

#include "libs/base/types.h"
#include "services/partner/domain/exposure.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::partner {

struct PostpaidIssuance {
  std::vector<IssuedUnderContract> contracts;
  int currency_exponent = 2;
};

// Of postpaid contracts. What is not yet billed is what the next settlement would bill if it had
// all windows up to now.
PostpaidIssuance ReadPostpaidIssuance(postgres::Transaction& transaction, PartnerId partner,
                                      ProgrammeId programme);

}  // namespace guilder::partner
