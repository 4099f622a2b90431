// Computes settlements: of everything that is sealed, of one more time, or of each window by
// itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "libs/postgres/pool.h"
#include "services/settlement/domain/settlement.h"
#include "services/settlement/store/facts.h"

namespace guilder::settlement {

// Who computed what the clearing job did. No person has looked at it, so it cannot be approved
// before one computes it again.
inline constexpr char kClearingJob[] = "guilder-clearing";

// Without an id computes the next settlement of each currency, of all sealed windows that are in no
// approved one of that currency, in the place of whatever was computed of them. With an id computes
// that settlement again, of the same windows. Gives what it computed: at least one, the programme's
// currency first. Must not be called in a transaction.
//
// Errors, first match wins: SETTLEMENT_NOT_FOUND; WRONG_STATE, it is approved; NOTHING_TO_SETTLE.
absl::StatusOr<std::vector<Settlement>> ComputeSettlements(postgres::Pool& pool,
                                                           std::optional<SettlementId> id,
                                                           const std::string& by,
                                                           absl::Time deadline);

// Where the policy says so, computes a settlement of each sealed window that is in none, in order;
// and marks what is overdue. Several at once, late ones and ones that were killed come to the same.
// Gives what it computed. Must not be called in a transaction.
absl::StatusOr<std::vector<Settlement>> ComputeDueSettlements(postgres::Pool& pool);

// Computes it once more, and does not go on unless that gives what is stored. In the caller's
// transaction. Errors: INTERNAL, it does not.
absl::StatusOr<Computation> Recompute(postgres::Transaction& transaction,
                                      const Programme& programme, const Settlement& settlement);

}  // namespace guilder::settlement
