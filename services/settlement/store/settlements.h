// Reads and writes settlements with their windows, lines and nets.
//
// Each function runs in the caller's transaction. Whoever writes takes LockForWriting first;
// whoever reads more than one table of a settlement takes LockForReading, because a computed one
// may be replaced.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "libs/base/types.h"
#include "services/settlement/domain/settlement.h"
#include "services/settlement/store/facts.h"

namespace guilder::settlement {

void LockForWriting(postgres::Transaction& transaction);
void LockForReading(postgres::Transaction& transaction);

// The next settlement, without who computes it: over all sealed windows that are in no approved
// one, with the number after the last approved one's.
//
// Errors: NOTHING_TO_SETTLE; an error that is ours when the windows do not follow one another.
absl::StatusOr<Settlement> NextSettlement(postgres::Transaction& transaction,
                                          const Programme& programme);

// A settlement of the first window that is in none; nothing when there is none.
std::optional<Settlement> NextOfOneWindow(postgres::Transaction& transaction,
                                          const Programme& programme);
// Whether one before it waits for its approval.
bool HasComputedBefore(postgres::Transaction& transaction, SettlementId id);
// Takes computed settlements after that one away, so that their windows are in none.
void DeleteComputedAfter(postgres::Transaction& transaction, SettlementId id);

// Stores a computed settlement in the place of what was computed before under its number.
void WriteComputed(postgres::Transaction& transaction, const Programme& programme,
                   const Settlement& settlement, const Computation& computation);

// SETTLEMENT_NOT_FOUND.
absl::StatusOr<Settlement> FindSettlement(postgres::Transaction& transaction, SettlementId id);
// The starts of its windows, in order.
std::vector<Timestamp> ReadWindowStarts(postgres::Transaction& transaction, SettlementId id);
// All lines of a settlement, or a partner's; and so its nets.
std::vector<Line> ReadLines(postgres::Transaction& transaction, SettlementId id,
                            std::optional<PartnerId> partner = std::nullopt);
std::vector<Net> ReadNets(postgres::Transaction& transaction, SettlementId id,
                          std::optional<PartnerId> partner = std::nullopt);

// Makes a computed settlement binding: its state, obligations, due then, and money. Errors: as
// PostMoney.
absl::Status WriteApproval(postgres::Transaction& transaction, const Settlement& approved,
                           const Computation& computation, Timestamp due_at);

}  // namespace guilder::settlement
