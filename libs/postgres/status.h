// What a failed transaction's status tells.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace guilder::postgres {

// The SQLSTATE that made a transaction fail, as in "23505"; empty when there was none (the body
// itself returned the status, or the connection was lost).
std::string SqlStateOf(const absl::Status& status);

// SQLSTATE 23505: some unique key exists already.
bool IsUniqueViolation(const absl::Status& status);

// Classes 22 and 23: the values of some command are at fault, so the same batch would fail again.
bool IsCausedByValues(const absl::Status& status);

// The transaction was certainly rolled back because of another one (serialization failure,
// deadlock, lock not available): the same transaction, run again at once, may succeed.
bool IsRetryable(const absl::Status& status);

// The connection was lost while the commit was under way. Whoever repeats must be idempotent.
bool IsOutcomeUnknown(const absl::Status& status);

}  // namespace guilder::postgres
