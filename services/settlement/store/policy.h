// The programme's rules of payment. Each function runs in the caller's transaction.
#pragma once

#include "libs/base/types.h"
#include "services/settlement/domain/policy.h"

namespace guilder::postgres {
class Transaction;
}

namespace guilder::settlement {

// The default, with revision 0, when none was ever set.
Policy ReadPolicy(postgres::Transaction& transaction, ProgrammeId programme);
// Gives what is stored then: with the next revision.
Policy WritePolicy(postgres::Transaction& transaction, ProgrammeId programme, const Policy& policy);

}  // namespace guilder::settlement
