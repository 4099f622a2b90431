// Explains any name: walks from a payment, an invoice, a settlement's line, a window, a lot, an
// entry or a record to what it comes from.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/postgres/connection.h"
#include "services/operator/domain/explanation.h"

namespace guilder::operator_ {

// The steps, each after what it explains. Long lists are cut, and a step says how many more there
// are.
//
// Runs in the caller's transaction. Refuses: kNameNotFound.
absl::StatusOr<std::vector<Step>> Explain(postgres::Transaction& transaction,
                                          const std::string& name);

}  // namespace guilder::operator_
