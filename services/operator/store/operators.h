// Reads and writes operators. Each function runs in the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/types.h"
#include "libs/postgres/connection.h"
#include "services/operator/domain/operator.h"

namespace guilder::operator_ {

// False, and nothing is changed, when there is an operator of that id.
bool InsertOperator(postgres::Transaction& transaction, const Operator& created,
                    const Digest& token_hash);

// The operator; nothing when there is none. Whoever locks administrators takes turns.
std::optional<Operator> LockOperator(postgres::Transaction& transaction, std::string_view id);
// How many administrators there are that are not disabled. None is added, changed or disabled until
// the end of the transaction by others who ask.
int64_t LockAdministrators(postgres::Transaction& transaction);
// Whether there ever was more than one, disabled ones too.
bool HadSeveralAdministrators(postgres::Transaction& transaction);
// By the database's clock, which is returned.
Timestamp DisableOperator(postgres::Transaction& transaction, std::string_view id);

// Those that are not disabled and whose id is after `after`, by id; `limit` at most.
std::vector<Operator> ListOperators(postgres::Transaction& transaction, const std::string& after,
                                    int limit);

}  // namespace guilder::operator_
