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

// The number after the last approved settlement's; and the one after all there are.
SettlementId FirstToCompute(postgres::Transaction& transaction);
SettlementId NextNumber(postgres::Transaction& transaction);

// The next settlement of the currency, of that number, without who computes it: of at most so many
// of the sealed windows after the last one of the currency. Nothing when there is none.
//
// Errors: one that is ours when the windows do not follow one another.
absl::StatusOr<std::optional<Settlement>> NextSettlement(postgres::Transaction& transaction,
                                                         const Programme& programme,
                                                         SettlementId id, const Currency& currency,
                                                         int most_windows);

// Whether one before it waits for its approval.
bool HasComputedBefore(postgres::Transaction& transaction, SettlementId id);
// Takes computed settlements from that one on away, so that their windows are in none.
void DeleteComputedFrom(postgres::Transaction& transaction, SettlementId id);

// Stores a computed settlement in the place of what was computed before under its number.
void WriteComputed(postgres::Transaction& transaction, const Programme& programme,
                   const Settlement& settlement, const Computation& computation);

// A settlement with what a list shows of it.
struct SettlementSummary {
  Settlement settlement;
  int windows = 0;
  MinorUnits net;  // The sum of the partners' nets.
  MinorUnits due;  // And after what is carried forward.
};
// Those before that number, latest first.
std::vector<SettlementSummary> ListSettlements(postgres::Transaction& transaction,
                                               SettlementId before, int limit);
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
