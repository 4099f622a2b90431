// Reads and writes operators. Each function runs in the caller's transaction.
#pragma once

#include <string>
#include <vector>

#include "libs/base/types.h"
#include "libs/postgres/connection.h"
#include "services/operator/domain/operator.h"

namespace guilder::operator_ {

// False, and nothing is changed, when there is an operator of that id.
bool InsertOperator(postgres::Transaction& transaction, const Operator& created,
                    const Digest& token_hash);

// Those whose id is after `after`, by id; `limit` at most.
std::vector<Operator> ListOperators(postgres::Transaction& transaction, const std::string& after,
                                    int limit);

}  // namespace guilder::operator_
